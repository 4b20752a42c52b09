import { expect, test } from 'vitest';
import { createRandom, readSeed } from '../e2e/random.ts';

const draw = (seed: number, count = 1_000) => {
  const { fraction } = createRandom(seed);
  return Array.from({ length: count }, fraction);
};

test('the same seed gives the same choices, another one others', () => {
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  expect(createRandom(7).shuffle([1, 2, 3, 4, 5])).toEqual(createRandom(7).shuffle([1, 2, 3, 4, 5]));
});

test('moments are spread over the whole duration, also with small seeds', () => {
  for (const seed of [0, 1, 2, 999_999]) {
    const tenths = Array.from({ length: 10 }, (_, at) =>
      draw(seed).filter((each) => Math.floor(each * 10) === at),
    );
    for (const tenth of tenths) expect(tenth.length).toBeGreaterThan(60);
  }
});

test('a seed that is no number is refused', () => {
  expect(readSeed('SEED', { SEED: '42' })).toBe(42);
  expect(() => readSeed('SEED', { SEED: 'x' })).toThrow('SEED is "x", expected a number');
});
