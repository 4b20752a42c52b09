import { expect, test } from 'vitest';
import { createLogBuffer, noFilter, toPattern } from '../../dashboard/logs/log-buffer.ts';
import type { SentLine } from '../../src/dashboard/protocol.ts';

const sources = new Map([
  [0, { component: 'auth-service', pod: 'a', container: 'auth-service' }],
  [1, { component: 'redis', pod: 'b', container: 'redis' }],
]);

const toLines = (count: number): readonly SentLine[] =>
  Array.from({ length: count }, (_, at) => [at % 2, '2026-11-30T09:00:00.000000000Z', at % 6, `line ${at}`]);

test('shows what passes the filter: component, level and text; a gap of a shown component always', async () => {
  const buffer = createLogBuffer();
  buffer.add(sources, [...toLines(12), [0, '', 0, '-- gap --', 4]]);
  expect(buffer.shown).toHaveLength(13);
  await buffer.setFilter({ components: new Set(['auth-service']), level: 4, text: undefined });
  expect(buffer.shown.map(({ text }) => text)).toEqual(['line 4', 'line 10', '-- gap --']);
  await buffer.setFilter({ ...noFilter, text: toPattern('/LINE 1\\d/i') });
  expect(buffer.shown.map(({ text }) => text)).toEqual(['line 10', 'line 11', '-- gap --']);
  buffer.add(sources, [
    [1, '', 2, 'line 19'],
    [1, '', 2, 'another'],
  ]);
  expect(buffer.shown.at(-1)?.text).toBe('line 19');
});

test('lines that come while a filter runs are shown once, in their place', async () => {
  const buffer = createLogBuffer();
  buffer.add(sources, toLines(60_000));
  const filtering = buffer.setFilter({ ...noFilter, text: /./ });
  buffer.add(sources, [[0, '', 2, 'new']]);
  await filtering;
  expect(buffer.shown).toHaveLength(60_001);
  expect(buffer.shown.at(-1)?.text).toBe('new');
});

test('beyond its limit the oldest lines are dropped, also from what is shown', async () => {
  const buffer = createLogBuffer({ limit: 100 });
  await buffer.setFilter({ ...noFilter, level: 5 });
  for (let turn = 0; turn < 50; turn++) buffer.add(sources, toLines(12));
  expect(buffer.size).toBeLessThanOrEqual(125);
  expect(buffer.shown.length).toBeLessThanOrEqual(21);
  expect(buffer.shown.every(({ level }) => level === 5)).toBe(true);
});

test('text is not a pattern, /text/ is, and an invalid one says so', () => {
  expect(toPattern('a.b')?.test('A.B')).toBe(true);
  expect(toPattern('a.b')?.test('axb')).toBe(false);
  expect(toPattern('/a.b/')?.test('axb')).toBe(true);
  expect(toPattern('')).toBeUndefined();
  expect(() => toPattern('/(/')).toThrow(SyntaxError);
});
