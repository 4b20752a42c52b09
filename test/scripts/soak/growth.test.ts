import { describe, expect, test } from 'vitest';
import { judgeGrowth, withoutWarmUp } from '../../../scripts/soak/growth.ts';
import { createRandom } from '../../e2e/random.ts';

/** Thirty values, each with noise of a tenth of `noise` around it. */
function make(at: (index: number) => number, noise = 0): readonly number[] {
  const { fraction } = createRandom(1);
  return Array.from({ length: 30 }, (_, index) => at(index) + (fraction() - 0.5) * 2 * noise);
}

describe('grew', () => {
  test.each([
    ['a little with each sample', make((index) => 100 + index)],
    ['under noise that is larger than a step', make((index) => 100 + 2 * index, 10)],
    ['in steps, far apart', make((index) => 100 + 20 * Math.floor(index / 8))],
    ['although it falls back again and again', make((index) => 100 + 3 * index - (index % 4) * 5)],
  ])('%s', (_, values) => {
    expect(judgeGrowth(values, { absolute: 3 })).toMatchObject({ verdict: 'grew' });
  });

  test('beyond its limit, even once', () => {
    const values = make((index) => (index === 17 ? 101 : 50));
    expect(judgeGrowth(values, { absolute: 0, limit: 100 })).toMatchObject({ verdict: 'grew' });
  });
});

describe('steady', () => {
  test.each([
    ['always the same', make(() => 100)],
    ['with noise', make(() => 100, 10)],
    ['up once and then the same, as a cache that fills', make((index) => (index < 8 ? 100 : 150))],
    ['a peak', make((index) => (index > 12 && index < 18 ? 900 : 100))],
    ['down', make((index) => 200 - index)],
    ['from nothing', make(() => 0)],
  ])('%s', (_, values) => {
    expect(judgeGrowth(values, { absolute: 5 })).toMatchObject({ verdict: 'steady' });
  });

  test('within a share of the first value', () => {
    const values = make((index) => 1000 + index);
    expect(judgeGrowth(values, { absolute: 0, share: 0.05 })).toMatchObject({ verdict: 'steady' });
    expect(judgeGrowth(values, { absolute: 0, share: 0.005 })).toMatchObject({ verdict: 'grew' });
  });

  test('growing up to its limit', () => {
    expect(
      judgeGrowth(
        make((index) => index),
        { absolute: 0, limit: 30 },
      ),
    ).toMatchObject({ verdict: 'below its limit' });
  });
});

test('the medians are those of the thirds', () => {
  const values = [1, 2, 3, 10, 20, 30, 100, 200, 300];
  expect(judgeGrowth(values, { absolute: 0 })).toEqual({ verdict: 'grew', medians: [2, 20, 200] });
});

test('two samples in a third say nothing', () => {
  expect(judgeGrowth([1, 2, 3, 4, 5, 6, 7, 8], { absolute: 0 })).toEqual({
    verdict: 'too few samples',
    medians: [],
  });
});

test('the warm-up is the first fifth of the time, not of the samples', () => {
  const samples = [0, 1, 2, 3, 50, 100].map((seconds) => ({ seconds }));
  expect(withoutWarmUp(samples, 100)).toEqual([{ seconds: 50 }, { seconds: 100 }]);
});
