import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse as parseYaml, stringify } from 'yaml';
import { toCreation } from '../../src/cluster/creation.ts';
import { loadCatalog } from '../../src/config/catalog.ts';
import { loadHelmValues } from '../../src/config/helm-values.ts';
import { loadEnvironment } from '../../src/config/load.ts';
import { parse } from '../../src/config/parse.ts';
import { ConfigFailure } from '../../src/config/problems.ts';
import type { Environment } from '../../src/config/schema.ts';
import { selectServices } from '../../src/config/services.ts';
import { Failure } from '../../src/lib/failure.ts';
import { planUp } from '../../src/plans/up.ts';
import type { UpDeps } from '../../src/plans/up-deps.ts';
import { serviceTable, tableFile } from '../service-table.ts';
import { createCheckout } from './checkout.ts';

const seed = 20_251_215;
const repository = join(import.meta.dirname, '../..');
const printable = /^[^\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]*$/u;

/** The environment, or the message it is refused with: anything else that is thrown fails the test. */
async function outcome(checkout: string): Promise<Environment | string> {
  try {
    return await loadEnvironment({ checkout, name: 'local-kind' });
  } catch (error) {
    if (!(error instanceof ConfigFailure)) throw error;
    for (const line of error.message.split('\n')) {
      expect(line).toMatch(
        /^((env\/[-a-z]+|helm\/charts\/wealist-common\/values)\.yaml(:\d+:\d+)?( [^ ]+)?: \S|and \d+ more$)/,
      );
      expect(line).toMatch(printable);
    }
    return error.message;
  }
}

async function expectSane(checkout: string): Promise<void> {
  const first = await outcome(checkout);
  expect(await outcome(checkout)).toEqual(first);
  if (typeof first === 'string') return;
  const { cluster, services } = first;
  for (const port of [
    cluster?.httpPort,
    cluster?.httpsPort,
    ...Object.values(services).map(({ port }) => port),
  ]) {
    expect(Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65_535).toBe(true);
  }
  for (const [name, { standIn, dockerfile = '', context = '' }] of Object.entries(services)) {
    for (const argument of [name, standIn, dockerfile, context]) expect(argument).not.toMatch(/^[-/~$]/);
  }
}

test('any soup of YAML is parsed or refused, with no other error', () => {
  const usual = [
    ...[
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      ': ',
      '- ',
      '? ',
      '"',
      "'",
      '\n',
      '\n  ',
      '\n    ',
      ' ',
      '\t',
      '#',
      ' #',
      '|\n',
      '>\n',
    ],
    ...[
      'a',
      'a: ',
      'b:\n',
      '1',
      '~',
      '\\',
      '\\x41',
      '@',
      '`',
      '<<: ',
      '\ufeff',
      '\r\n',
      '\u2028',
      '\u{1f600}',
      'null',
      '.nan',
    ],
  ];
  const refused = ['&a ', '*a', '!!str ', '!', '%YAML 1.1\n', '---\n', '...\n', '|2-\n', '__proto__: '];
  const piece = fc.oneof({ weight: 60, arbitrary: fc.constantFrom(...usual) }, fc.constantFrom(...refused));
  const soup = fc.array(piece, { maxLength: 40 }).map((list) => list.join(''));
  fc.assert(
    fc.property(soup, (text) => {
      try {
        expect(parse(text, 'x.yaml').kind).toBe('map');
      } catch (error) {
        if (!(error instanceof ConfigFailure)) throw error;
      }
    }),
    { seed, numRuns: 5_000 },
  );
});

/** Reads or refuses what is in a checkout. */
const readers: Readonly<Record<string, (checkout: string) => Promise<void>>> = {
  'env/base.yaml': expectSane,
  'env/local-kind.yaml': expectSane,
  [tableFile]: expectSane,
  'images/catalog.yaml': (checkout) => expectRefusal(() => loadCatalog(checkout)),
  'kind/cluster.yaml': (checkout) =>
    expectRefusal(() => toCreation({ ...creation, paths: { checkout, data: '/d' } })),
  'helm/environments/local-kind.yaml': (checkout) =>
    expectRefusal(() => loadHelmValues(checkout, { name: 'local-kind', services: {} })),
};
const creation = {
  ...{ checkoutId: '0', image: 'node:1' },
  cluster: { name: 'wealist', httpPort: 80, httpsPort: 443, nodes: [] },
};

/** Any other error than a failure of the configuration fails the test. */
async function expectRefusal(read: () => Promise<unknown>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!(error instanceof Failure) || error.exitCode !== 2) throw error;
  }
}

test.each(Object.keys(readers))('a damaged %s is read or refused', async (name) => {
  const files = [
    ...['images/catalog.yaml', 'kind/cluster.yaml', 'helm/environments/local-kind.yaml'],
    ...['helm/environments/base.yaml', 'helm/values.schema.json'],
  ];
  const copies = files.map(async (path) => [path, await readFile(join(repository, path))] as const);
  const checkout = await createCheckout(Object.fromEntries(await Promise.all(copies)));
  const file = join(checkout, name);
  const bytes = await readFile(file);
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 3,
  });
  await fc.assert(
    fc.asyncProperty(damage, fc.option(fc.nat(bytes.length)), async (changes, length) => {
      const damaged = Buffer.from(bytes.subarray(0, length ?? bytes.length));
      for (const [index, byte] of changes) if (index < damaged.length) damaged[index] = byte;
      await writeFile(file, damaged);
      await readers[name]?.(checkout);
    }),
    { seed, numRuns: 100 },
  );
});

test('any value at any key is taken or refused', async () => {
  const checkout = await createCheckout();
  const key = fc.oneof(
    fc.constantFrom(
      'namespace',
      'cluster',
      'name',
      'httpPort',
      'httpsPort',
      'ingress',
      'controller',
      'source',
      'registry',
    ),
    fc.constantFrom(
      'mirror',
      'pull',
      'services',
      'port',
      'route',
      'needs',
      'standIn',
      'dockerfile',
      'context',
      'build',
    ),
    fc.constantFrom('auth-service', 'frontend', 'ops', 'constructor', '__proto__', 'extends', '<<'),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  const scalar = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      true,
      '',
      'auto',
      'source',
      'redis',
      'frontend',
      '.',
      '..',
      '/etc',
      'services/frontend',
    ),
    fc.integer({ min: -1, max: 70_000 }),
    fc.double(),
    fc.string({ unit: 'binary', maxLength: 80 }),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 4 }, scalar, fc.array(tie('tree'), { maxLength: 3 }), tie('map')),
    map: fc.array(fc.tuple(key, tie('tree')), { maxLength: 4 }).map((entries) => new Map(entries)),
  }));
  const map = fc
    .array(fc.tuple(key, tree), { minLength: 1, maxLength: 4 })
    .map((entries) => new Map(entries));
  await fc.assert(
    fc.asyncProperty(map, async (local) => {
      await writeFile(join(checkout, 'env/local.yaml'), stringify(local));
      await expectSane(checkout);
    }),
    { seed, numRuns: 80 },
  );
});

test('what was read, written out, is read the same', async () => {
  const checkout = await createCheckout();
  const port = fc.integer({ min: 1024, max: 65_535 }).filter((port) => port < 1719 || port > 10_080);
  const settings = fc.record({
    cluster: fc.record({
      httpPort: fc.constantFrom(80, 8080),
      httpsPort: port.filter((port) => port !== 8080),
    }),
    ingress: fc.record({ controller: fc.constantFrom('auto', 'nginx', 'traefik') }),
    registry: fc.record(
      { mirror: fc.domain(), pull: fc.constantFrom('auto', 'never', 'only') },
      { requiredKeys: [] },
    ),
    services: fc.record({
      'auth-service': fc.record({ port, route: fc.constantFrom('auth', 'a', 'login-0') }),
    }),
  });
  await fc.assert(
    fc.asyncProperty(settings, async (local) => {
      const file = join(checkout, 'env/local.yaml');
      await writeFile(file, stringify(local));
      const { name, ...rest } = await loadEnvironment({ checkout, name: 'local-kind' });
      expect(rest).toMatchObject(local);
      await writeFile(file, stringify(rest));
      expect(await loadEnvironment({ checkout, name: 'local-kind' })).toEqual({ name, ...rest });
    }),
    { seed, numRuns: 50 },
  );
});

test('any text of a flag is taken as it is, or refused with the flag as its place', async () => {
  const checkout = await createCheckout();
  const name = fc.oneof(
    fc.stringMatching(/^[a-z][-a-z0-9]{0,20}$/),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom('', '-', '--yes', '../x', 'kube-system', 'constructor', '$(id)', 'a;b'),
  );
  const nodes = fc.array(fc.oneof(fc.constantFrom('app', 'db'), fc.string({ maxLength: 5 })), {
    maxLength: 3,
  });
  await fc.assert(
    fc.asyncProperty(name, fc.option(nodes, { nil: undefined }), async (value, types) => {
      const overrides = [
        { flag: '--name', path: ['cluster', 'name'] as const, value },
        ...(types ? [{ flag: '--nodes', path: ['cluster', 'nodes'] as const, value: types }] : []),
      ];
      try {
        const { cluster } = await loadEnvironment({ checkout, name: 'local-kind', overrides });
        expect(cluster).toMatchObject({ name: value, ...(types ? { nodes: types } : {}) });
        expect(value).toMatch(/^[a-z][-a-z0-9]{0,48}$/);
      } catch (error) {
        if (!(error instanceof ConfigFailure)) throw error;
        for (const line of error.message.split('\n')) {
          expect(line).toMatch(/^--(name|nodes) /);
          expect(line).toMatch(printable);
        }
      }
    }),
    { seed, numRuns: 100 },
  );
});

test('of any valid settings the plan is the same each time, and the ports are those of 127.0.0.1', async () => {
  const port = fc.integer({ min: 1, max: 65_535 });
  const services = Object.keys(serviceTable);
  const settings = fc.record({
    ports: fc.record({ httpPort: port, httpsPort: port }),
    nodes: fc.subarray(['app', 'db'] as const),
    controller: fc.constantFrom('nginx' as const, 'traefik' as const),
    selected: fc.subarray(services),
    repairs: fc.boolean(),
  });
  const environment = await loadEnvironment({ checkout: await createCheckout(), name: 'local-kind' });
  await fc.assert(
    fc.asyncProperty(settings, async ({ ports, nodes, selected, ...choice }) => {
      const cluster = { name: 'wealist', ...ports, nodes, extras: [], lacking: [] };
      const make = () =>
        planUp(environment, planDeps, {
          ...{ ...choice, cluster, fromSource: new Set(), removedExtras: [], checkoutId: '0' },
          ...{
            podSecurity: 'restricted',
            secrets: undefined,
            selection: selectServices(environment, selected),
          },
        }).map(({ title, steps }) => [title, ...steps.map((step) => step.title)]);
      expect(make()).toEqual(make());
      const { config } = await toCreation({
        ...creation,
        cluster,
        paths: { checkout: repository, data: '/d' },
      });
      const { nodes: made, networking } = parseYaml(config);
      expect(networking.apiServerAddress).toBe('127.0.0.1');
      const mappings = made.flatMap((node: { extraPortMappings?: object[] }) => node.extraPortMappings ?? []);
      expect(mappings).toMatchObject([
        { containerPort: 80, hostPort: ports.httpPort, listenAddress: '127.0.0.1' },
        { containerPort: 443, hostPort: ports.httpsPort, listenAddress: '127.0.0.1' },
      ]);
    }),
    { seed, numRuns: 60 },
  );
});

/** Making a plan calls none of these. */
const planDeps = {
  paths: { checkout: repository, state: '/s', cache: '/c', data: '/d' },
  toolchain: { nodes: {} },
  tools: [],
} as unknown as UpDeps;
