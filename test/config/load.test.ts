import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadEnvironment } from '../../src/config/load.ts';
import type { ConfigFailure } from '../../src/config/problems.ts';
import { serviceTable, tableFile } from '../service-table.ts';
import { createCheckout, placeOf } from './checkout.ts';
import { refusal } from './refusal.ts';

const load = (checkout: string) => loadEnvironment({ checkout, name: 'local-kind' });

describe('the environments of this repository', () => {
  test('local-kind is base with its own settings', async () => {
    const environment = await load(await createCheckout());
    expect(environment).toMatchObject({
      name: 'local-kind',
      namespace: 'wealist-kind-local',
      cluster: { name: 'wealist', httpPort: 80, httpsPort: 443 },
      ingress: { controller: 'auto' },
      registry: { pull: 'auto' },
    });
    expect(
      Object.entries(environment.services).map(([name, { port, route, needs }]) => [
        name,
        port,
        route,
        needs,
      ]),
    ).toEqual(
      Object.entries(serviceTable).map(([name, { port, route, needs }]) => [name, port, route, needs]),
    );
    expect(environment.services['user-service']).toMatchObject({
      ...{ port: 8081, route: 'user', standIn: 'services/user-service' },
      live: [{ from: 'services/user-service', to: '/app', build: 'stand-in' }],
    });
  });

  test('each service knows the Dockerfile that weAlist has for it', async () => {
    const { services } = await load(await createCheckout());
    expect(services['auth-service']).toMatchObject({
      dockerfile: 'services/auth-service/Dockerfile',
      context: 'services/auth-service',
    });
    expect(services['chat-service']).toMatchObject({
      dockerfile: 'services/chat-service/docker/Dockerfile',
      context: '.',
    });
    expect(services.frontend).toMatchObject({
      dockerfile: 'services/frontend/Dockerfile',
      context: 'services/frontend',
    });
  });
});

describe('layers', () => {
  test('local.yaml lies over the environment: maps are merged, lists and values replaced', async () => {
    const checkout = await createCheckout({
      'env/local.yaml': 'cluster:\n  httpPort: 8080\nservices:\n  user-service:\n    needs: [postgres]\n',
    });
    const { cluster, services } = await load(checkout);
    expect(cluster).toEqual({ name: 'wealist', httpPort: 8080, httpsPort: 443 });
    expect(services['user-service']).toMatchObject({ port: 8081, route: 'user', needs: ['postgres'] });
    expect(Object.keys(services).indexOf('user-service')).toBe(1);
  });

  test('a service that local.yaml adds comes last, with the defaults', async () => {
    const checkout = await createCheckout({
      'env/local.yaml': 'services:\n  ops-service: {port: 9005, route: ops, standIn: services/frontend}\n',
    });
    const { services } = await load(checkout);
    expect(Object.entries(services).at(-1)).toEqual([
      'ops-service',
      { port: 9005, route: 'ops', standIn: 'services/frontend', needs: [], build: 'auto', live: [] },
    ]);
  });

  test.each(['', '# nothing yet\n', '---\n', '\ufeff'])(
    'a local.yaml that says nothing changes nothing: %j',
    async (text) => {
      const checkout = await createCheckout();
      const before = await load(checkout);
      await writeFile(join(checkout, 'env/local.yaml'), text);
      expect(await load(checkout)).toEqual(before);
    },
  );

  test('overrides go over local.yaml, and a message about one names its flag', async () => {
    const checkout = await createCheckout({ 'env/local.yaml': 'cluster: {name: mine}' });
    const override = (value: string) => [{ flag: '--name', path: ['cluster', 'name'] as const, value }];
    const environment = await loadEnvironment({ checkout, name: 'local-kind', overrides: override('other') });
    expect(environment.cluster).toEqual({ name: 'other', httpPort: 80, httpsPort: 443 });
    expect(await refusal(checkout, override('Not_Fit'))).toMatch(
      /^--name cluster\.name: got "Not_Fit", expected a name of /,
    );
  });

  test('the types of worker nodes, from a flag', async () => {
    const checkout = await createCheckout({ 'env/local.yaml': 'cluster: {nodes: [db]}' });
    const override = (value: readonly string[]) => [
      { flag: '--nodes', path: ['cluster', 'nodes'] as const, value },
    ];
    expect((await load(checkout)).cluster?.nodes).toEqual(['db']);
    const overrides = override(['app', 'db']);
    const environment = await loadEnvironment({ checkout, name: 'local-kind', overrides });
    expect(environment.cluster?.nodes).toEqual(['app', 'db']);
    expect(await refusal(checkout, override(['app', 'web']))).toBe(
      '--nodes cluster.nodes[1]: got "web", expected app or db',
    );
  });

  test('an environment may extend one that extends another', async () => {
    const checkout = await createCheckout({
      'env/kind-two.yaml': 'extends: local-kind\ncluster: {name: two}\n',
    });
    const environment = await loadEnvironment({ checkout, name: 'kind-two' });
    expect(environment).toMatchObject({
      name: 'kind-two',
      namespace: 'wealist-kind-local',
      cluster: { name: 'two' },
    });
  });

  test('the same files give the same environment', async () => {
    const checkout = await createCheckout();
    expect(JSON.stringify(await load(checkout))).toBe(JSON.stringify(await load(checkout)));
  });
});

describe('extends', () => {
  test.each([
    [
      'itself',
      'local-kind',
      'env/local-kind.yaml:1:10 extends: got a cycle, local-kind → local-kind, expected a chain that ends',
    ],
    [
      'a typing mistake',
      'bse',
      'env/local-kind.yaml:1:10 extends: got "bse", expected a file of env/: nearest is base',
    ],
    [
      'another folder',
      '../base',
      'env/local-kind.yaml:1:10 extends: got "../base", expected one of base, local-kind',
    ],
    ['nothing', '', 'env/local-kind.yaml:1:10 extends: got nothing, expected one of base, local-kind'],
    ['a list', '[base]', 'env/local-kind.yaml:1:10 extends: got a list, expected one of base, local-kind'],
    [
      'local',
      'local',
      'env/local-kind.yaml:1:10 extends: got "local", expected a file of env/: nearest is local-kind',
    ],
  ])('refuses %s', async (_, base, message) => {
    const checkout = await createCheckout({ 'env/local-kind.yaml': `extends: ${base}\nnamespace: x\n` });
    expect(await refusal(checkout)).toBe(message);
  });

  test('names the files of a circle', async () => {
    const checkout = await createCheckout({
      'env/one.yaml': 'extends: two',
      'env/two.yaml': 'extends: local-kind',
      'env/local-kind.yaml': 'extends: one',
    });
    expect(await refusal(checkout)).toBe(
      'env/two.yaml:1:10 extends: got a cycle, local-kind → one → two → local-kind, expected a chain that ends',
    );
  });

  test('has no place in local.yaml', async () => {
    const checkout = await createCheckout({ 'env/local.yaml': 'extends: base' });
    expect(await refusal(checkout)).toMatch(/^env\/local\.yaml:1:10 extends: got a base, expected none/);
  });
});

describe('the name of the environment', () => {
  test.each([
    ['lokal-kind', '"lokal-kind" is not an environment, nearest is local-kind'],
    ['base', '"base" is not an environment'],
    ['local', '"local" is not an environment, nearest is local-kind'],
    ['../../etc/passwd', '"../../etc/passwd" is not an environment'],
    ['\u001b[31mred', '"\\u{1b}[31mred" is not an environment'],
    ['', '"" is not an environment'],
  ])('%j is refused', async (name, message) => {
    const checkout = await createCheckout();
    const failure = loadEnvironment({ checkout, name });
    await expect(failure).rejects.toMatchObject({ message, exitCode: 2, hint: 'environments: local-kind' });
  });

  test('the folder of environments is missing', async () => {
    const checkout = await createCheckout();
    await rm(join(checkout, 'env'), { recursive: true });
    await expect(load(checkout)).rejects.toThrow(/^env: missing, .*git restore env$/);
  });
});

describe('problems', () => {
  test('all of them at once, in the order of the files, each with its place and its fix', async () => {
    const checkout = await createCheckout({
      'env/local.yaml': [
        'clustre: {name: x}',
        'httpsPort: 8443',
        'services:',
        '  auth-service:',
        '    port: "80:80"',
        '    needs: [user-servce, chat-service]',
        '  user-service: {port: 8000, rout: u}',
        '  video-service: null',
        '  Ops: {}',
      ].join('\n'),
    });
    expect((await refusal(checkout)).split('\n')).toEqual([
      'env/local.yaml:1:1 clustre: got an unknown key, nearest is cluster',
      'env/local.yaml:2:1 httpsPort: got an unknown key, it belongs under cluster',
      'env/local.yaml:5:11 services.auth-service.port: got "80:80", expected a port: a whole number from 1 to 65535, such as 8080',
      'env/local.yaml:6:13 services.auth-service.needs[0]: got "user-servce", expected a known name: nearest is user-service',
      'env/local.yaml:6:26 services.auth-service.needs[1]: got a cycle, auth-service → chat-service → auth-service: remove one of these needs',
      `env/local.yaml:7:24 services.user-service.port: got 8000, expected a different port: board-service has it (${placeOf(tableFile, 'services', 'board-service', 'port')})`,
      'env/local.yaml:7:30 services.user-service.rout: got an unknown key, nearest is route',
      'env/local.yaml:8:18 services.video-service: got nothing, expected the keys of a service: port, route, needs, standIn, dockerfile, context, target, args, secrets, ssh, contexts, platform, build, host, live',
      'env/local.yaml:9:3 services.Ops: got "Ops", expected a name of a-z, 0-9 and -, at most 53 characters, first a letter, such as auth-service',
    ]);
  });

  test('of every file that cannot be read', async () => {
    const checkout = await createCheckout({ 'env/local-kind.yaml': 'a: [', 'env/local.yaml': 'b: *c' });
    expect(await refusal(checkout)).toMatch(
      /^env\/local-kind\.yaml:1:\d+: .+\nenv\/local\.yaml:1:4: got "\*c", expected .+$/,
    );
  });

  test('more than twenty are counted', async () => {
    const keys = Array.from({ length: 33 }, (_, index) => `unknown-${index}: 1`);
    const checkout = await createCheckout({ 'env/local.yaml': keys.join('\n') });
    const lines = (await refusal(checkout)).split('\n');
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('and 13 more');
    await expect(load(checkout)).rejects.toSatisfy((error: ConfigFailure) => error.problems.length === 33);
  });

  test('a place is right after a byte order mark and with CRLF', async () => {
    const text = '\ufeffnamespace: wealist-kind-local\r\ncluster:\r\n  httpPort: 0\r\n';
    const checkout = await createCheckout({ 'env/local.yaml': text });
    expect(await refusal(checkout)).toMatch(
      /^env\/local\.yaml:3:13 cluster\.httpPort: got 0, expected a port/,
    );
    await writeFile(join(checkout, 'env/local.yaml'), '\ufeffnamspace: x');
    expect(await refusal(checkout)).toBe(
      'env/local.yaml:1:1 namspace: got an unknown key, nearest is namespace',
    );
  });
});
