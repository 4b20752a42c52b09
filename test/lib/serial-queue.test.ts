import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createSerialQueue } from '../../src/lib/serial-queue.ts';

test('runs what it is given one after the other, in order', async () => {
  const queue = createSerialQueue();
  const order: string[] = [];
  const work = (name: string, milliseconds: number) => async () => {
    order.push(`${name} begins`);
    await sleep(milliseconds);
    order.push(`${name} ends`);
    return name;
  };
  expect(await Promise.all([queue(work('a', 10)), queue(work('b', 1))])).toEqual(['a', 'b']);
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('a failure does not stop what is queued after it', async () => {
  const queue = createSerialQueue();
  const failing = queue(async () => {
    throw new Error('broken');
  });
  const next = queue(async () => 'done');
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toBe('done');
});

test('only a caller that has to wait is notified', async () => {
  const queue = createSerialQueue();
  const notified: string[] = [];
  const wait = (name: string) =>
    queue(
      () => sleep(1),
      () => notified.push(name),
    );
  await Promise.all([wait('first'), wait('second')]);
  await wait('third');
  expect(notified).toEqual(['second']);
});
