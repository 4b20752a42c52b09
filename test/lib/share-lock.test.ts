import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { shareLock } from '../../src/lib/share-lock.ts';

/** Something that only one can hold; `fails` is thrown in place of holding it. */
function makeHold() {
  let held = 0;
  const log: string[] = [];
  const state = { fails: undefined as Error | undefined };
  const hold = shareLock(async (work) => {
    await sleep(1);
    if (state.fails) throw state.fails;
    expect(held++).toBe(0);
    log.push('taken');
    try {
      return await work();
    } finally {
      await sleep(1);
      held--;
      log.push('released');
    }
  });
  return { hold, log, state };
}

test('works at the same time hold it together', async () => {
  const { hold, log } = makeHold();
  expect(await Promise.all([1, 2, 3].map((each) => hold(() => sleep(each * 5, each))))).toEqual([1, 2, 3]);
  await expect.poll(() => log).toEqual(['taken', 'released']);
});

test('one after the other takes it again, also at once', async () => {
  const { hold, log } = makeHold();
  for (let round = 0; round < 3; round += 1) await hold(async () => {});
  await expect.poll(() => log).toEqual(Array(3).fill(['taken', 'released']).flat());
});

test('a work that fails gives it back', async () => {
  const { hold, log } = makeHold();
  await expect(hold(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await hold(async () => {});
  await expect.poll(() => log).toEqual(['taken', 'released', 'taken', 'released']);
});

test('a failed acquisition rejects the work, and the next one tries again', async () => {
  const { hold, state } = makeHold();
  state.fails = new Error('somebody else has it');
  await expect(hold(async () => {})).rejects.toThrow('somebody else has it');
  state.fails = undefined;
  expect(await hold(async () => 'mine')).toBe('mine');
});
