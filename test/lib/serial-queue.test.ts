import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createTurns } from '../../src/lib/serial-queue.ts';

test('works run one after the other, in the order they came', async () => {
  const turns = createTurns();
  const order: string[] = [];
  const work = (name: string, milliseconds: number) => async () => {
    order.push(`${name} begins`);
    await sleep(milliseconds);
    order.push(`${name} ends`);
    return name;
  };
  expect(await Promise.all([turns(work('a', 10)), turns(work('b', 1))])).toEqual(['a', 'b']);
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('a work that fails does not hold the next', async () => {
  const turns = createTurns();
  const failing = turns(async () => {
    throw new Error('broken');
  });
  const next = turns(async () => 'done');
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toBe('done');
});

test('only who must wait is told', async () => {
  const turns = createTurns();
  const told: string[] = [];
  const wait = (name: string) =>
    turns(
      () => sleep(1),
      () => told.push(name),
    );
  await Promise.all([wait('first'), wait('second')]);
  await wait('third');
  expect(told).toEqual(['second']);
});
