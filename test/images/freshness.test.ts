import { expect, test } from 'vitest';
import { type Links, toFreshness } from '../../src/images/freshness.ts';

const newId = `sha256:${'a'.repeat(64)}` as const;
const oldId = `sha256:${'b'.repeat(64)}` as const;
const built = { reference: 'wealist.local/board-service:aaaa', id: newId };
const current = { reference: built.reference, id: newId };
const old = { reference: 'wealist.local/board-service:bbbb', id: oldId };

const whole: Links = { sourceHash: 's2', built, isLoaded: true, running: [current, current] };

test('source = built = loaded = running is fresh', () => {
  expect(toFreshness(whole)).toEqual({ state: 'fresh', line: 'runs aaaa, its current source' });
});

test.each<[string, Partial<Links>, string, RegExp]>([
  ['the source was changed', { built: undefined }, 'built', /^its current source has not been built$/],
  [
    'built, not loaded',
    { isLoaded: false, running: [old] },
    'loaded',
    /^aaaa is built, but not loaded onto its node$/,
  ],
  [
    'gone from the node while it runs',
    { isLoaded: false },
    'loaded',
    /^runs aaaa, which is no longer on its node/,
  ],
  ['loaded, not running', { running: [old] }, 'running', /^runs bbbb, but its current source is aaaa$/],
  [
    'not running in all of its pods',
    { running: [current, old] },
    'running',
    /^runs bbbb, but its current source/,
  ],
])('stale, %s: the link that does not hold is named', (_, change, broken, line) => {
  const freshness = toFreshness({ ...whole, ...change });
  expect(freshness).toMatchObject({ state: 'stale', broken, line: expect.stringMatching(line) });
});

test('a node that does not respond does not make a service stale', () => {
  expect(toFreshness({ ...whole, isLoaded: undefined })).toMatchObject({ state: 'fresh' });
});

test('the image ID is compared, with or without a repository before it, and not the name', () => {
  const pulled = { reference: built.reference, id: `docker.io/library/board@${newId}` };
  expect(toFreshness({ ...whole, running: [pulled] })).toMatchObject({ state: 'fresh' });
  const sameName = { reference: built.reference, id: oldId };
  expect(toFreshness({ ...whole, running: [sameName] })).toMatchObject({ state: 'stale', broken: 'running' });
});

test('live files of the current source are live; those of an earlier one are stale', () => {
  const live = { files: 3, sourceHash: 's2', pods: 2, of: 2 };
  expect(toFreshness({ ...whole, built: undefined, running: [old], live })).toEqual({
    state: 'live',
    line: 'live: 3 files over image bbbb',
  });
  expect(
    toFreshness({ ...whole, running: [old], live: { ...live, files: 1, sourceHash: 's1' } }),
  ).toMatchObject({
    state: 'stale',
    broken: 'built',
    line: 'its source has changed since; live: 1 file over image bbbb',
  });
});

test('a service that does not run is neither fresh nor stale', () => {
  expect(toFreshness({ ...whole, running: [] })).toBeUndefined();
});

test('live files in only some of the pods are stale, and counted', () => {
  const live = { files: 1, sourceHash: '', pods: 1, of: 2 };
  expect(toFreshness({ ...whole, built: undefined, running: [old, old], live })).toEqual({
    ...{ state: 'stale', broken: 'running' },
    line: 'live: 1 file over image bbbb in 1 of 2 pods',
  });
});
