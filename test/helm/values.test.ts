import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { valuesFiles } from '../../src/config/values.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import { filesOf, refusal, render } from './helm.ts';
import { getContainer, getWorkload } from './manifests.ts';

describe('the layers of values', () => {
  it('lie over each other: chart, base, environment, one’s own, secrets, images', async () => {
    const checkout = await makeTemporaryFolder();
    await mkdir(join(checkout, 'helm/environments'), { recursive: true });
    const files = valuesFiles({
      checkout,
      environment: { name: 'local-kind', values: ['helm/own.yaml'] },
      secrets: join(checkout, 'secrets.yaml'),
      generated: join(checkout, 'images.yaml'),
    });
    const layers = ['base', 'environment', 'own', 'secrets', 'images'];
    expect(files).toHaveLength(layers.length);
    // Each layer sets its own key and those of all layers above it.
    await Promise.all(
      files.map((file, at) => {
        const podAnnotations = Object.fromEntries(layers.slice(at).map((key) => [key, layers[at]]));
        return writeFile(file, stringify({ services: { 'auth-service': { podAnnotations } } }));
      }),
    );
    await writeFile(
      files[0] ?? '',
      stringify({
        services: {
          'auth-service': {
            podAnnotations: Object.fromEntries(layers.map((key) => [key, 'base'])),
            resources: { requests: { memory: '300Mi' } },
          },
        },
      }),
    );

    const manifests = await render('auth-service', { files: [...filesOf('base'), ...files] });
    const workload = getWorkload(manifests, 'auth-service');
    expect(workload.spec.template.metadata.annotations).toMatchObject(
      Object.fromEntries(layers.map((layer) => [layer, layer])),
    );
    // Over the chart, key by key: what no file names stays the chart's.
    expect(getContainer(workload).resources?.requests).toEqual({ cpu: '100m', memory: '300Mi' });
  });

  it('set all services, and one of them otherwise', async () => {
    const values = {
      serviceDefaults: { replicas: 2 },
      services: { 'user-service': { replicas: 3 }, 'chat-service': {} },
    };
    const replicas = async (chart: 'user-service' | 'chat-service') =>
      getWorkload(await render(chart, { values }), chart).spec.replicas;
    expect(await Promise.all([replicas('user-service'), replicas('chat-service')])).toEqual([3, 2]);
  });
});

describe('a mistake in values is refused by its name', () => {
  it.each<[string, object, string]>([
    ['an unknown key', { sharde: {} }, "additional properties 'sharde' not allowed"],
    [
      'a key of a service',
      { services: { 'chat-service': { prot: 1 } } },
      "additional properties 'prot' not allowed",
    ],
    [
      'a key of another service',
      { services: { frontend: { replcas: 2 } } },
      "at '/services/frontend': additional properties 'replcas' not allowed",
    ],
    [
      'a service',
      { services: { 'chat-servce': { replicas: 2 } } },
      'services.chat-servce is no known service',
    ],
    [
      'a probe',
      { serviceDefaults: { probes: { readiness: { periodSecond: 1 } } } },
      "at '/serviceDefaults/probes/readiness': additional properties 'periodSecond' not allowed",
    ],
    [
      'a shared setting',
      { shared: { config: { DB_AUTOMIGRATE: 'true' } } },
      "at '/shared/config': additional properties 'DB_AUTOMIGRATE' not allowed",
    ],
    [
      'a number where Kubernetes wants a text',
      { services: { 'chat-service': { config: { TIMEOUT: 5 } } } },
      "at '/services/chat-service/config/TIMEOUT': got number, want string",
    ],
    [
      'a word instead of a number',
      { services: { 'chat-service': { replicas: 'two' } } },
      "at '/services/chat-service/replicas': got string, want integer",
    ],
    [
      'what should have been filled in',
      { shared: { config: { S3_BUCKET: 'wealist', CORS_ORIGINS: '$' + '{ORIGINS}' } } },
      "at '/shared/config/CORS_ORIGINS'",
    ],
    ['an image without a tag', { images: { 'chat-service': 'wealist/chat' } }, "at '/images/chat-service'"],
    ['the tag latest', { images: { 'chat-service': 'wealist/chat:latest' } }, "at '/images/chat-service'"],
    [
      'a missing secret',
      { shared: { secrets: { S3_SECRET_KEY: '' } } },
      'shared.secrets.S3_SECRET_KEY is missing',
    ],
    [
      'an external server without a host',
      { infrastructure: { redis: { external: { enabled: true } } } },
      "at '/infrastructure/redis/external/host'",
    ],
  ])('%s', async (_, values, words) => {
    expect(await refusal('chat-service', { values })).toContain(words);
  });

  it('an image that no file names', async () => {
    const files = filesOf('local-kind').slice(0, -1);
    expect(await refusal('chat-service', { files })).toContain('images.chat-service is missing');
  });

  it('a secret that is too short, without showing it', async () => {
    const secrets = { JWT_SECRET: 'dev-jwt-secret-change-in-production' };
    const words = await refusal('chat-service', { values: { shared: { secrets } } });
    expect(words).toContain('shared.secrets.JWT_SECRET is too short: 35 bytes, at least 64');
    expect(words).not.toContain(secrets.JWT_SECRET);
  });

  it('a secret of the wrong type, without showing it', async () => {
    const words = await refusal('chat-service', {
      values: { shared: { secrets: { DB_PASSWORD: 31_415_926 } } },
    });
    expect(words).toContain("at '/shared/secrets/DB_PASSWORD': got number, want string");
    expect(words).not.toContain('31415926');
  });
});
