import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadHelmValues } from '../../src/config/helm-values.ts';
import { listEnvironments } from '../../src/config/layers.ts';
import { loadEnvironment } from '../../src/config/load.ts';
import { Failure } from '../../src/lib/failure.ts';
import { tableFile } from '../service-table.ts';
import { createCheckout, placeOf } from './checkout.ts';

const repository = resolve(import.meta.dirname, '../..');
const local = 'helm/environments/local-kind.yaml';
const unfilled = '$' + '{ORIGINS}';

/** A checkout with the repository's values, and this in place of those of local-kind. */
async function checkoutWith(values: string): Promise<string> {
  const checkout = await createCheckout({ [local]: values });
  await mkdir(join(checkout, 'helm/charts'), { recursive: true });
  const { services } = await loadEnvironment({ checkout, name: 'local-kind' });
  const files = [
    'helm/values.schema.json',
    'helm/environments/base.yaml',
    'helm/from-source.yaml',
    ...['wealist-common', ...Object.keys(services)].map((chart) => `helm/charts/${chart}/values.yaml`),
  ];
  await Promise.all(files.map((file) => cp(join(repository, file), join(checkout, file))));
  return checkout;
}

async function load(values: string) {
  const checkout = await checkoutWith(values);
  return loadHelmValues(checkout, await loadEnvironment({ checkout, name: 'local-kind' }));
}

async function refusal(values: string): Promise<string> {
  const failure: unknown = await load(values).catch((error: unknown) => error);
  if (failure instanceof Failure && failure.exitCode === 2) return failure.message;
  throw failure;
}

describe('the values that git keeps', () => {
  test('are without a mistake in every environment', async () => {
    const environments = await listEnvironments(repository);
    expect(environments).toContain('local-kind');
    const { services } = await loadEnvironment({ checkout: repository, name: 'local-kind' });
    const levels = ['local-kind', 'local-ubuntu', 'dev', 'staging', 'prod'].map(async (name) => {
      const { podSecurity } = await loadHelmValues(repository, { name, services });
      return [name, podSecurity];
    });
    expect(Object.fromEntries(await Promise.all(levels))).toEqual({
      ...{ 'local-kind': 'restricted', 'local-ubuntu': 'baseline', dev: 'baseline' },
      ...{ staging: 'baseline', prod: 'restricted' },
    });
  });

  test('have the level that the services built from source need, unless a file of one’s own sets it', async () => {
    const { services } = await loadEnvironment({ checkout: repository, name: 'local-kind' });
    const load = (...fromSource: readonly string[]) =>
      loadHelmValues(repository, { name: 'local-kind', services }, new Set(fromSource));
    expect(await load(...Object.keys(services))).toEqual({ podSecurity: 'baseline' });
    expect(await load('auth-service', 'board-service')).toEqual({ podSecurity: 'restricted' });

    const checkout = await checkoutWith('');
    await writeFile(join(checkout, 'helm/mine.yaml'), 'namespace: { podSecurity: restricted }');
    const environment = {
      ...(await loadEnvironment({ checkout, name: 'local-kind' })),
      values: ['helm/mine.yaml'],
    };
    expect(await loadHelmValues(checkout, environment)).toEqual({ podSecurity: 'restricted' });
    await expect(loadHelmValues(checkout, environment, new Set(['frontend']))).rejects.toThrow(
      /helm\/from-source.yaml:\d+:\d+ services.frontend.podSecurityContext.runAsUser: .* restricted \(helm\/mine.yaml:1:27\)/,
    );
  });

  test('lie in files of the checkout', async () => {
    const checkout = await checkoutWith('');
    const environment = await loadEnvironment({ checkout, name: 'local-kind' });
    const values = ['helm/mine.yaml'];
    await expect(loadHelmValues(checkout, { ...environment, values })).rejects.toThrow(
      'helm/mine.yaml: missing, expected a file: the environment names it under values',
    );
  });

  test('say what level the namespace has', async () => {
    expect(await load('')).toEqual({ podSecurity: 'restricted' });
    expect(await load('namespace: { podSecurity: baseline }')).toEqual({ podSecurity: 'baseline' });
  });
});

describe('a mistake has its file, line and key, and what was meant', () => {
  test.each<[string, string, string]>([
    ['a key', 'ingres:\n  anyHost: true\n', `${local}:1:1 ingres: got an unknown key, nearest is ingress`],
    [
      'a key of a service',
      'services:\n  chat-service:\n    replcas: 2\n',
      `${local}:3:5 services.chat-service.replcas: got an unknown key, nearest is replicas`,
    ],
    [
      'a key of a probe',
      'serviceDefaults:\n  probes:\n    readiness: { periodSecond: 1 }\n',
      `${local}:3:18 serviceDefaults.probes.readiness.periodSecond: got an unknown key, nearest is periodSeconds`,
    ],
    [
      'a key on another level',
      'replicas: 2\n',
      `${local}:1:1 replicas: got an unknown key, it belongs under serviceDefaults`,
    ],
    [
      'a shared setting',
      'shared:\n  config:\n    DB_AUTOMIGRATE: "true"\n',
      `${local}:3:5 shared.config.DB_AUTOMIGRATE: got an unknown key, nearest is DB_AUTO_MIGRATE`,
    ],
    [
      'a service',
      'services:\n  chat-servce: { replicas: 2 }\n',
      `${local}:2:3 services.chat-servce: got an unknown name, nearest is chat-service`,
    ],
    [
      'an image',
      'images:\n  postgre: postgres:17\n',
      `${local}:2:3 images.postgre: got an unknown name, nearest is postgres`,
    ],
    [
      'a key without a value',
      'ingress:\nnamespace:\n  podSecurity: baseline\n',
      `${local}:1:9 ingress: got nothing, expected keys with values`,
    ],
    [
      'a key that stands twice',
      'ingress: { anyHost: true }\ningress: { anyHost: false }\n',
      `${local}:2:1 ingress: got a duplicate key, expected it once: it is already at ${local}:1:1`,
    ],
    [
      'a word in place of a number',
      'services:\n  chat-service:\n    replicas: two\n',
      `${local}:3:15 services.chat-service.replicas: got "two", expected a whole number`,
    ],
    [
      'a number in place of a text',
      'shared:\n  config:\n    DB_AUTO_MIGRATE: true\n',
      `${local}:3:22 shared.config.DB_AUTO_MIGRATE: got true, expected one of true, false`,
    ],
    [
      'a text without quotes',
      'services:\n  chat-service:\n    config: { TIMEOUT: 5 }\n',
      `${local}:3:24 services.chat-service.config.TIMEOUT: got 5, expected a text without \${…}, which is not expanded (text: in quotes)`,
    ],
    [
      'what should have been filled in',
      `shared:\n  config:\n    CORS_ORIGINS: "${unfilled}"\n`,
      `${local}:3:19 shared.config.CORS_ORIGINS: got "${unfilled}", expected a text without`,
    ],
    [
      'a level that is not used',
      'namespace: { podSecurity: privileged }\n',
      `${local}:1:27 namespace.podSecurity: got "privileged", expected one of restricted, baseline`,
    ],
    [
      'the tag latest',
      'images:\n  redis: redis:latest\n',
      `${local}:2:10 images.redis: got "redis:latest", expected an image with its tag or digest`,
    ],
    [
      'the image of a service',
      'images:\n  chat-service: chat:1\n',
      `${local}:2:3 images.chat-service: got the image of a service, which is built on this machine: set services.chat-service in env/local.yaml`,
    ],
    [
      'an image that no chart takes from there',
      'images:\n  nginx: nginx:1\n',
      `${local}:2:3 images.nginx: got an image that no chart takes from here, expected none`,
    ],
    [
      'a policy that would let everybody in',
      'networkPolicies: { dns: [] }\n',
      `${local}:1:25 networkPolicies.dns: got an empty list, expected at least one item`,
    ],
  ])('%s', async (_, values, message) => {
    expect(await refusal(values)).toContain(message);
  });

  test('and a secret is not repeated', async () => {
    const message = await refusal('shared:\n  secrets:\n    JWT_SECRET: hunter2\n');
    expect(message).toBe(
      `${local}:3:5 shared.secrets.JWT_SECRET: got a secret in a file tracked by git, expected it in helm/environments/local-kind-secrets.yaml`,
    );
  });

  test('all of them at once, in both files', async () => {
    const message = await refusal('ingres: {}\nservices:\n  frontend: { prot: 80 }\n');
    expect(message.split('\n')).toHaveLength(2);
  });

  test('a service of one’s own brings its port', async () => {
    expect(await load('services:\n  ops-service: { port: 9000 }\n')).toEqual({ podSecurity: 'restricted' });
  });
});

describe('a port and a route are the same for the charts and the environment', () => {
  const load = async (values: string, local: string) => {
    const checkout = await checkoutWith(values);
    await writeFile(join(checkout, 'env/local.yaml'), local);
    return loadHelmValues(checkout, await loadEnvironment({ checkout, name: 'local-kind' }));
  };

  test('where only the files of env/ say otherwise', async () => {
    await expect(load('', 'services: {user-service: {port: 9000, route: people}}')).rejects.toThrow(
      [
        `${placeOf(tableFile, 'services', 'user-service', 'port')} services.user-service.port: got 8081, but env/ has 9000: set the same in both`,
        `${placeOf(tableFile, 'services', 'user-service', 'route')} services.user-service.route: got user, but env/ has people: set the same in both`,
      ].join('\n'),
    );
  });

  test('where only the values say otherwise', async () => {
    const message = await refusal('services:\n  chat-service: { port: 9001 }\n');
    expect(message).toBe(
      `${local}:2:25 services.chat-service.port: got 9001, but env/ has 8001: set the same in both`,
    );
  });

  test('and are taken where both say the same', async () => {
    const both = 'services: { user-service: { port: 9000 } }';
    expect(await load(both, both)).toEqual({ podSecurity: 'restricted' });
  });
});

describe('a setting that needs a lower Pod Security level is named', () => {
  const frontend = (settings: string) => `services:\n  frontend:\n    ${settings}\n`;
  const level =
    'needs the Pod Security level baseline, but namespace.podSecurity is restricted (helm/charts/wealist-common/values.yaml:';

  test.each<[string, string]>([
    [
      'podSecurityContext: { runAsUser: 0 }',
      'services.frontend.podSecurityContext.runAsUser: a container that runs as root',
    ],
    [
      'podSecurityContext: { runAsNonRoot: false }',
      'services.frontend.podSecurityContext.runAsNonRoot: a container that may run as root',
    ],
    [
      'securityContext: { capabilities: { add: [CHOWN] } }',
      'services.frontend.securityContext.capabilities.add: the capability CHOWN',
    ],
    [
      'securityContext: { allowPrivilegeEscalation: true }',
      'services.frontend.securityContext.allowPrivilegeEscalation: a process that may gain privileges',
    ],
    [
      'securityContext: { capabilities: { drop: [] } }',
      'services.frontend.securityContext.capabilities.drop: a container that keeps capabilities',
    ],
    [
      'podSecurityContext: { seccompProfile: { type: Unconfined } }',
      'services.frontend.podSecurityContext.seccompProfile: a container without a seccomp profile',
    ],
  ])('%s', async (settings, who) => {
    expect(await refusal(frontend(settings))).toContain(`${who} ${level}`);
    expect(await load(`namespace: { podSecurity: baseline }\n${frontend(settings)}`)).toEqual({
      podSecurity: 'baseline',
    });
  });

  test('and what none allows is refused by any', async () => {
    for (const settings of [
      'securityContext: { privileged: true }',
      'securityContext: { capabilities: { add: [SYS_ADMIN] } }',
      'volumes: { host: { mount: { mountPath: /host }, source: { hostPath: { path: / } } } }',
    ]) {
      const values = `namespace: { podSecurity: baseline }\n${frontend(settings)}`;
      expect(await refusal(values)).toContain('which no namespace of weAlist allows: remove it');
    }
  });

  test('an added capability to listen on low ports is allowed', async () => {
    const values = frontend('securityContext: { capabilities: { add: [NET_BIND_SERVICE] } }');
    expect(await load(values)).toEqual({ podSecurity: 'restricted' });
  });
});

test('every keyword of the schema that Helm reads is checked here, or left to Helm', async () => {
  const schema = JSON.parse(await readFile(join(repository, 'helm/values.schema.json'), 'utf8'));
  const keywords = new Set<string>();
  collect(schema);
  // Those that only the whole can be held to are left to Helm.
  const leftToHelm = ['$schema', '$comment', 'title', 'required', 'minProperties', 'if', 'then'];
  const read = [
    ...['$ref', 'description', 'type', 'enum', 'const', 'anyOf', 'not', 'pattern', 'minLength', 'minimum'],
    ...[
      'maximum',
      'exclusiveMinimum',
      'minItems',
      'items',
      'properties',
      'patternProperties',
      'propertyNames',
    ],
    ...['additionalProperties', 'definitions'],
  ];
  expect([...keywords].filter((keyword) => ![...read, ...leftToHelm].includes(keyword))).toEqual([]);

  function collect(rule: object): void {
    for (const [keyword, value] of Object.entries(rule)) {
      keywords.add(keyword);
      const isNamed = ['properties', 'patternProperties', 'definitions'].includes(keyword);
      const below = isNamed ? Object.values(value) : [value].flat();
      for (const each of below) if (typeof each === 'object' && each !== null) collect(each);
    }
  }
});
