import { beforeAll, describe, expect, it } from 'vitest';
import { serviceTable } from '../service-table.ts';
import { type RenderOptions, render } from './helm.ts';
import { decode, getContainer, getManifest, getWorkload, listWorkloads, type Manifest } from './manifests.ts';

const infrastructure = (options?: RenderOptions) => render('wealist-infrastructure', options);
const sharedConfig = async (options: RenderOptions) =>
  getManifest(await infrastructure(options), 'ConfigMap', 'wealist-shared-config').data;

/** What every environment has; of the specification's names for S3, MinIO's address gave way to ours. */
const derived = {
  ...{ POSTGRES_HOST: 'postgres', POSTGRES_PORT: '5432', DB_HOST: 'postgres', DB_PORT: '5432' },
  ...{ DB_USER: 'postgres', DB_SSLMODE: 'disable' },
  ...{ REDIS_HOST: 'redis', REDIS_PORT: '6379', SPRING_REDIS_HOST: 'redis', SPRING_REDIS_PORT: '6379' },
  ...Object.fromEntries(
    Object.entries(serviceTable)
      .filter(([, { route }]) => route !== undefined)
      .map(([name, { port }]) => [
        `${name.toUpperCase().replaceAll('-', '_')}_URL`,
        `http://${name}:${port}`,
      ]),
  ),
  ...{ S3_ENDPOINT: 'http://s3:7070', S3_PUBLIC_ENDPOINT: 'http://s3.localhost' },
  ...{ S3_BUCKET: 'wealist-files', S3_REGION: 'ap-northeast-2', CORS_ORIGINS: '*' },
  OAUTH2_CLIENT_REDIRECT_URI: 'http://localhost/oauth2/callback/google',
  OAUTH2_REDIRECT_URL_ENV: 'http://localhost/oauth/callback',
  // Off: an address of nobody would be asked for nothing.
  ...{ LIVEKIT_URL: '', LIVEKIT_HOST: '', LIVEKIT_WS_URL: '' },
};

let local: readonly Manifest[];
beforeAll(async () => {
  local = await infrastructure();
});

describe('the shared configuration', () => {
  it('has every key of the platform', async () => {
    const base = { ...derived, ENV: 'production', LOG_LEVEL: 'info', DB_AUTO_MIGRATE: 'false' };
    const here = { ...derived, ENV: 'local', LOG_LEVEL: 'debug', DB_AUTO_MIGRATE: 'true' };
    expect(await sharedConfig({ environment: 'base' })).toEqual(base);
    expect(getManifest(local, 'ConfigMap', 'wealist-shared-config').data).toEqual(here);
  });

  it('gives browsers the port that was chosen, and HTTPS its own', async () => {
    expect(await sharedConfig({ values: { public: { httpPort: 8080 } } })).toMatchObject({
      S3_PUBLIC_ENDPOINT: 'http://s3.localhost:8080',
      OAUTH2_CLIENT_REDIRECT_URI: 'http://localhost:8080/oauth2/callback/google',
      OAUTH2_REDIRECT_URL_ENV: 'http://localhost:8080/oauth/callback',
    });
    const values = {
      public: { scheme: 'https', host: 'dev.wealist.example', httpPort: 8080 },
      infrastructure: { livekit: { host: 'livekit.example' } },
    };
    expect(await sharedConfig({ values })).toMatchObject({
      S3_PUBLIC_ENDPOINT: 'https://s3.dev.wealist.example',
      OAUTH2_REDIRECT_URL_ENV: 'https://dev.wealist.example/oauth/callback',
      LIVEKIT_WS_URL: 'wss://dev.wealist.example/svc/livekit',
    });
  });
});

describe('the shared secret', () => {
  it('has each secret under every name that a service knows it by', () => {
    const secret = decode(getManifest(local, 'Secret', 'wealist-shared-secret'));
    expect(Object.keys(secret)).toHaveLength(13);
    expect(secret).toMatchObject({ DB_PASSWORD: 'p@ss\'w/rd "1"', REDIS_PASSWORD: 'redis:pass word' });
    expect(secret.SECRET_KEY).toBe(secret.JWT_SECRET);
    expect(secret.SPRING_REDIS_PASSWORD).toBe(secret.REDIS_PASSWORD);
    expect(secret.GOOGLE_SECRET).toBe(secret.GOOGLE_CLIENT_SECRET);
  });

  it('is nowhere else in clear', async () => {
    const secrets = Object.values(decode(getManifest(local, 'Secret', 'wealist-shared-secret')));
    const rest = JSON.stringify(local.filter(({ kind }) => kind !== 'Secret'));
    expect(secrets.filter((text) => rest.includes(JSON.stringify(text).slice(1, -1)))).toEqual([]);
  });
});

describe('the data stores', () => {
  const volumes = () =>
    listWorkloads(local).flatMap(({ metadata, spec }) =>
      (spec.volumeClaimTemplates ?? []).map(
        ({ metadata: { name }, spec: claim }) => `${name}-${metadata.name}-0 ${claim.storageClassName}`,
      ),
    );

  it('keep their data in claims of our class, under names that do not change', () => {
    expect(volumes().sort()).toEqual([
      'data-postgres-0 wealist-data',
      'data-redis-0 wealist-data',
      'data-s3-0 wealist-data',
    ]);
  });

  it('ask for the cluster’s own class where the environment names none', async () => {
    const manifests = await infrastructure({ environment: 'base' });
    const [claim] = getWorkload(manifests, 'redis').spec.volumeClaimTemplates ?? [];
    expect(claim?.spec).not.toHaveProperty('storageClassName');
  });

  it('are asked each second until they have started, then rarely, and not restarted for being slow', () => {
    for (const name of ['postgres', 'redis', 's3']) {
      const { startupProbe, readinessProbe, livenessProbe } = getContainer(getWorkload(local, name));
      const { periodSeconds, timeoutSeconds, failureThreshold, ...startupAction } = startupProbe ?? {};
      expect({ periodSeconds, failureThreshold }).toEqual({ periodSeconds: 1, failureThreshold: 86_400 });
      expect(Object.keys(startupAction)).toHaveLength(1);
      // A program in the container costs more than a connection.
      expect(readinessProbe).toEqual({ tcpSocket: { port: name }, timeoutSeconds, periodSeconds: 5 });
      expect(livenessProbe).toBeUndefined();
    }
  });

  it('run as the users that their images have', () => {
    const user = (name: string) => getWorkload(local, name).spec.template.spec.securityContext?.runAsUser;
    expect(['postgres', 'redis', 's3'].map(user)).toEqual([999, 999, 10001]);
  });

  it('are replaced when their own secret changes, and for no other', async () => {
    const checksums = async (secrets: object) => {
      const manifests = await infrastructure({ values: { shared: { secrets } } });
      return ['postgres', 'redis', 's3'].map(
        (name) => getWorkload(manifests, name).spec.template.metadata.annotations?.['checksum/config'],
      );
    };
    const [before, after, unrelated] = await Promise.all([
      checksums({}),
      checksums({ DB_PASSWORD: 'another' }),
      checksums({ INTERNAL_API_KEY: 'another' }),
    ]);
    expect(after[0]).not.toBe(before[0]);
    expect(after.slice(1)).toEqual(before.slice(1));
    expect(unrelated).toEqual(before);
  });

  it('show no hash by which a password could be guessed', async () => {
    const checksum = async (JWT_SECRET: string) => {
      const secrets = { DB_PASSWORD: 'another', JWT_SECRET };
      const manifests = await infrastructure({ values: { shared: { secrets } } });
      return getWorkload(manifests, 'postgres').spec.template.metadata.annotations?.['checksum/config'];
    };
    const [one, other] = await Promise.all(['x', 'y'].map((letter) => checksum(letter.repeat(64))));
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(one).not.toBe(other);
  });

  it('give way to servers that somebody else runs', async () => {
    const external = (host: string, port: number) => ({ external: { enabled: true, host, port } });
    const values = {
      infrastructure: { postgres: external('db.example', 6432), redis: external('cache.example', 6380) },
    };
    const manifests = await infrastructure({ values });
    expect(listWorkloads(manifests).map(({ metadata }) => metadata.name.split('-')[0])).toEqual([
      's3',
      'bootstrap',
    ]);
    const { data } = getManifest(manifests, 'ConfigMap', 'wealist-shared-config');
    expect(data).toMatchObject({
      ...{ DB_HOST: 'db.example', POSTGRES_HOST: 'db.example', DB_PORT: '6432', POSTGRES_PORT: '6432' },
      ...{ REDIS_HOST: 'cache.example', SPRING_REDIS_HOST: 'cache.example', SPRING_REDIS_PORT: '6380' },
    });
    const [databases] = getWorkload(manifests, 'bootstrap').spec.template.spec.containers;
    expect(databases?.env).toContainEqual({ name: 'PGHOST', value: 'db.example' });
    const board = getManifest(await render('board-service', { values }), 'Secret', 'board-service-secret');
    expect(decode(board).DATABASE_URL).toContain('@db.example:6432/wealist_board_service_db');
    expect(decode(board).REDIS_URL).toContain('@cache.example:6380/1');
  });

  it('are only those that are asked for', async () => {
    const values = { infrastructure: { postgres: { enabled: false }, s3: { enabled: false } } };
    const manifests = await infrastructure({ values });
    expect(listWorkloads(manifests).map(({ metadata }) => metadata.name)).toEqual(['redis']);
  });
});

describe('the bootstrap job', () => {
  const name = async (values: object) =>
    getWorkload(await infrastructure({ values }), 'bootstrap').metadata.name;

  it('has another name when what it does is different, because a job cannot be changed', async () => {
    const [before, ...after] = await Promise.all(
      [
        {},
        { shared: { secrets: { DB_PASSWORD: 'another' } } },
        { shared: { config: { S3_BUCKET: 'another' } } },
        { images: { postgres: 'another:17' } },
        { services: { 'ops-service': { port: 9000, database: { name: 'ops', role: 'ops' } } } },
      ].map(name),
    );
    expect(before).toMatch(/^bootstrap-[0-9a-f]{10}$/);
    expect(new Set([before, ...after]).size).toBe(1 + after.length);
    expect(await name({ shared: { config: { LOG_LEVEL: 'warn' } } })).toBe(before);
  });

  it('does not give up before what is wrong is put right', () => {
    const { spec } = getWorkload(local, 'bootstrap');
    expect(spec).not.toHaveProperty('activeDeadlineSeconds');
    expect(spec.template.spec).toMatchObject({ restartPolicy: 'OnFailure' });
  });

  it('makes a database and a role for each service that has one', () => {
    const sql = getManifest(local, 'ConfigMap', 'bootstrap').data?.['databases.sql'] ?? '';
    const created = [...sql.matchAll(/'CREATE DATABASE %I OWNER %I', '(\w+)', '(\w+)'/g)];
    const databases = Object.values(serviceTable).flatMap(({ database }) => database ?? []);
    expect(databases).toContainEqual({ name: 'wealist_board_service_db', role: 'board_service' });
    expect(created.map(([, name, role]) => ({ name, role }))).toEqual(
      databases.toSorted((one, other) => one.name.localeCompare(other.name)),
    );
  });
});
