import { expect, test } from 'vitest';
import { chooseExtras, parseExtras } from '../../../src/commands/context/choose-extras.ts';
import type { Catalog } from '../../../src/config/catalog.ts';
import type { ResolvedImage } from '../../../src/images/chain.ts';
import { environment as base } from '../../fakes/app.ts';
import { createScreen } from '../../fakes/screen.ts';

const environment = { ...base, registry: { pull: 'never' } } as const;
const catalog = {
  loki: { pull: 'docker.io/grafana/loki:1', build: false },
  grafana: { pull: 'docker.io/grafana/grafana:1', build: false },
} as Catalog;
const record = { name: 'wealist', httpPort: 80, httpsPort: 443, controller: 'traefik', nodes: [] } as const;

/** The choice on a machine where no registry answers, with what it said. */
async function choose(
  wanted: Partial<Parameters<typeof chooseExtras>[1]>,
  { extras = [], lacking = [], kept = [], inFile = [] }: Record<string, readonly string[]> = {},
) {
  const { ui, stderr } = createScreen({});
  const chain = {
    find: async (name: string) => (kept.includes(name) ? ({ name } as ResolvedImage) : undefined),
  };
  const choice = await chooseExtras(
    {
      app: { ui, signal: new AbortController().signal },
      environment: { ...environment, with: inFile as ['monitoring'] },
      images: { catalog, chain: chain as never },
      record: extras.length > 0 ? { ...record, extras, lacking } : undefined,
    },
    { added: [], removed: [], ...wanted },
  );
  return { ...choice, said: stderr() };
}

test('an extra that is added, and goes without what can only be pulled, says so', async () => {
  expect(await choose({ added: ['monitoring'] })).toEqual({
    extras: ['monitoring'],
    lacking: ['loki', 'grafana'],
    said: expect.stringMatching(
      /monitoring runs with victoria-logs instead of loki: .*\n.*monitoring runs without grafana: /,
    ),
  });
  expect(await choose({ added: ['monitoring'] }, { kept: ['grafana', 'loki'] })).toMatchObject({
    lacking: [],
    said: '',
  });
});

test('it stays, without being asked again, until it is taken away', async () => {
  const before = { extras: ['monitoring'], lacking: ['loki', 'grafana'] };
  expect(await choose({}, before)).toEqual({ ...before, said: '' });
  const kept = ['grafana', 'loki'];
  expect(await choose({}, { ...before, kept })).toEqual({ ...before, lacking: [], said: '' });
  expect(await choose({ removed: ['monitoring'] }, before)).toEqual({ extras: [], lacking: [], said: '' });
});

test('an image that an earlier version built and this one only pulls is replaced', async () => {
  const before = { extras: ['monitoring'], lacking: ['grafana'] };
  expect(await choose({}, before)).toEqual({
    extras: ['monitoring'],
    lacking: ['loki', 'grafana'],
    said: expect.stringContaining('monitoring runs with victoria-logs instead of loki'),
  });
});

test('that of the environment is there without a flag', async () => {
  expect(await choose({}, { inFile: ['monitoring'] })).toMatchObject({ extras: ['monitoring'] });
});

test('a name that this version does not know is dropped from the record', async () => {
  expect(await choose({}, { extras: ['tracing'] })).toEqual({ extras: [], lacking: [], said: '' });
});

test.each([
  [{ with: 'monitorng' }, '"monitorng" is not an extra, nearest is monitoring', /^extras: .*monitoring/],
  [{ without: 'x y' }, '"x y" is not an extra', /^extras: /],
  [
    { with: 'monitoring', without: 'monitoring' },
    'monitoring is in both --with and --without',
    /one of them/,
  ],
])('%o is refused', (input, message, hint) => {
  expect(() => parseExtras(input, environment)).toThrow(
    expect.objectContaining({ message, hint: expect.stringMatching(hint), exitCode: 2 }),
  );
});

test('what a file adds is not taken away by a flag', () => {
  expect(() => parseExtras({ without: 'monitoring' }, { with: ['monitoring'] })).toThrow(
    'monitoring is listed under with: in your environment',
  );
});

test('names with commas, each once', () => {
  expect(parseExtras({ with: 'monitoring, monitoring,' }, environment)).toEqual({
    added: ['monitoring'],
    removed: [],
  });
});
