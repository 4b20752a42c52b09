import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLimit } from '../../src/lib/limit.ts';

test('no more than the limit run at once, all run in their order, and a failure frees its place', async () => {
  const inTurn = createLimit(2);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const work = (at: number) => async () => {
    begun.push(at);
    running += 1;
    most = Math.max(most, running);
    await sleep(2);
    running -= 1;
    if (at === 1) throw new Error('broken');
    return at;
  };
  const results = await Promise.allSettled([0, 1, 2, 3, 4].map((at) => inTurn(work(at))));
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect(most).toBe(2);
  expect(results.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    ...['fulfilled', 'fulfilled', 'fulfilled'],
  ]);
  expect(await inTurn(async () => 'again')).toBe('again');
});
