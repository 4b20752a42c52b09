import { describe, expect, it } from 'vitest';
import { refusal, remoteEnvironments, render } from './helm.ts';
import { getContainer, getManifest, getWorkload } from './manifests.ts';

describe('a Secret that the charts render themselves', () => {
  const secret = 'of-at-least-sixty-four-bytes-because-hs512-refuses-anything-less';
  const given = {
    ...{
      DB_PASSWORD: 'a-database-key',
      REDIS_PASSWORD: '',
      S3_ACCESS_KEY: 'a-key',
      S3_SECRET_KEY: 'an-s3-key',
    },
    ...{ INTERNAL_API_KEY: 'an-internal-key', JWT_SECRET: secret },
    ...{ GOOGLE_CLIENT_ID: '1.apps.googleusercontent.com', GOOGLE_CLIENT_SECRET: 'GOCSPX-1' },
  };
  const values = (change: object) => ({ shared: { secrets: { ...given, ...change } } });

  it.each(remoteEnvironments)('takes those that are given in %s', async (environment) => {
    const manifests = await render('wealist-infrastructure', { environment, values: values({}) });
    const { data = {} } = getManifest(manifests, 'Secret', 'wealist-shared-secret');
    expect(Object.keys(data)).toEqual(
      expect.arrayContaining([...Object.keys(given), 'SECRET_KEY', 'SPRING_REDIS_PASSWORD', 'GOOGLE_SECRET']),
    );
    const { env } = getContainer(
      getWorkload(await render('auth-service', { environment, values: values({}) }), 'auth-service'),
    );
    expect(env).toBeUndefined();
  });

  it.each<[string, object, string]>([
    ['a short JWT secret', { JWT_SECRET: 'x'.repeat(63) }, 'JWT_SECRET is too short: 63 bytes, at least 64'],
    ['an empty Google client id', { GOOGLE_CLIENT_ID: '' }, 'GOOGLE_CLIENT_ID is missing'],
    [
      "the documentation's Google client id",
      { GOOGLE_CLIENT_ID: 'placeholder-client-id.apps.googleusercontent.com' },
      'GOOGLE_CLIENT_ID is a placeholder',
    ],
    ["MinIO's own key", { S3_ACCESS_KEY: 'minioadmin' }, 'S3_ACCESS_KEY is a placeholder'],
    ["PostgreSQL's usual password", { DB_PASSWORD: 'postgres' }, 'DB_PASSWORD is a placeholder'],
    [
      'a key that says so itself',
      { INTERNAL_API_KEY: 'internal-key-change-me' },
      'INTERNAL_API_KEY is a placeholder',
    ],
  ])('is refused with %s in staging and prod', async (_, change, words) => {
    for (const environment of ['staging', 'prod'] as const) {
      for (const chart of ['wealist-infrastructure', 'auth-service'] as const) {
        expect(await refusal(chart, { environment, values: values(change) })).toContain(
          `shared.secrets.${words}`,
        );
      }
    }
  });

  it('may have placeholders in dev, which only keep Google’s login off', async () => {
    const change = { GOOGLE_CLIENT_ID: 'placeholder-client-id.apps.googleusercontent.com' };
    await render('wealist-infrastructure', { environment: 'dev', values: values(change) });
  });

  it('is not rendered from nothing where nobody says that it is there', async () => {
    const values = { shared: { existingSecret: false } };
    expect(await refusal('auth-service', { environment: 'dev', values })).toContain(
      'shared.secrets.DB_PASSWORD is missing',
    );
  });
});
