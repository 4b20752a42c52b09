import { expect, test } from 'vitest';
import { toAge } from '../../src/lib/age.ts';
import { parseDuration } from '../../src/lib/parse-duration.ts';

test.each([
  ['90s', 90_000],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['1.5s', 1_500],
  ['250ms', 250],
])('%s is %d ms', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each(['', '5', '5x', 'm', '-5m', '5m ', '5 m'])('%j is not a duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test.each([
  [-1, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [3_600_000 * 5, '5 h'],
  [86_400_000 * 2, '2 d'],
])('%d ms ago is %s', (milliseconds, text) => {
  expect(toAge(milliseconds)).toBe(text);
});
