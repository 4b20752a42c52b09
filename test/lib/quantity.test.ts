import { expect, test } from 'vitest';
import { parseQuantity, toAmount } from '../../src/lib/quantity.ts';

test.each([
  ['500m', 0.5],
  ['2', 2],
  ['64Mi', 64 * 2 ** 20],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['1e3', 1000],
  ['129M', 129e6],
  ['0', 0],
])('%s is %d', (text, value) => {
  expect(parseQuantity(text)).toBeCloseTo(value, 9);
});

test('what is not an amount is refused', () => {
  expect(() => parseQuantity('much')).toThrow('not an amount: much');
  expect(() => parseQuantity('1Xi')).toThrow('not an amount: 1Xi');
});

test('amounts for the user', () => {
  expect(toAmount('cpu', 0.25)).toBe('250m CPU');
  expect(toAmount('cpu', 2)).toBe('2000m CPU');
  expect(toAmount('cpu', 0)).toBe('0m CPU');
  expect(toAmount('memory', 200 * 2 ** 20)).toBe('200 MiB');
  expect(toAmount('memory', 23.456 * 2 ** 30)).toBe('23.5 GiB');
  expect(toAmount('memory', 10 * 2 ** 10)).toBe('10 KiB');
  expect(toAmount('memory', 0)).toBe('0 MiB');
  expect(toAmount('pods', 110)).toBe('110 pods');
});
