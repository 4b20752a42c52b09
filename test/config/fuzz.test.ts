import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { loadEnvironment } from '../../src/config/load.ts';
import { parse } from '../../src/config/parse.ts';
import { ConfigFailure } from '../../src/config/problems.ts';
import type { Environment } from '../../src/config/schema.ts';
import { tableFile } from '../service-table.ts';
import { createCheckout } from './checkout.ts';

const seed = 20_251_215;
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

test.each(['env/base.yaml', tableFile])('a damaged %s is read or refused', async (name) => {
  const checkout = await createCheckout();
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
      await expectSane(checkout);
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
