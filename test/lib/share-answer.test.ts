import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { shareAnswer } from '../../src/lib/share-answer.ts';

const { signal } = new AbortController();

/** Something whose state changes, and that takes 20 ms to answer with the state it had when it was asked. */
function observe({ fails = 0 } = {}) {
  const world = { state: 'old', asked: [] as AbortSignal[] };
  const read = shareAnswer(async (asked) => {
    const { state } = world;
    world.asked.push(asked);
    const number = world.asked.length;
    await sleep(20, undefined, { signal: asked });
    if (number <= fails) throw new Error('no answer');
    return { state };
  });
  return { world, read };
}

test('calls of the same turn share one request', async () => {
  const { world, read } = observe();
  const [one, other] = await Promise.all([read(signal), read(signal)]);
  expect(other).toBe(one);
  expect(world.asked).toHaveLength(1);
});

test('a request that began before the call is not joined: it would answer with the previous state', async () => {
  const { world, read } = observe();
  const first = read(signal);
  await sleep(5);
  world.state = 'new';
  const later = [read(signal), read(signal)];
  expect(await first).toEqual({ state: 'old' });
  for (const answer of await Promise.all(later)) expect(answer).toEqual({ state: 'new' });
  expect(world.asked).toHaveLength(2);
});

test('a caller that allows the age joins a running request, and gets one that has ended', async () => {
  const { world, read } = observe();
  const first = read(signal);
  await sleep(5);
  expect(await read(signal, 10_000)).toBe(await first);
  expect(await read(signal, 10_000)).toBe(await first);
  expect(world.asked).toHaveLength(1);
});

test('age counts from when the request began, not from when it was answered', async () => {
  const { world, read } = observe();
  await read(signal);
  world.state = 'new';
  expect(await read(signal, 15)).toEqual({ state: 'new' });
});

test('requests never run at the same time', async () => {
  let running = 0;
  let most = 0;
  const read = shareAnswer(async () => {
    running += 1;
    most = Math.max(most, running);
    await sleep(5);
    running -= 1;
  });
  const calls = [];
  for (let call = 0; call < 8; call += 1) {
    calls.push(read(signal));
    await sleep(1);
  }
  await Promise.all(calls);
  expect(most).toBe(1);
});

test('a failure is not cached, and reaches its own callers only', async () => {
  const { world, read } = observe({ fails: 1 });
  const first = expect(read(signal)).rejects.toThrow('no answer');
  await sleep(5);
  const second = read(signal);
  await first;
  expect(await second).toEqual({ state: 'old' });
  expect(world.asked).toHaveLength(2);
});

test('a caller that gives up leaves the answer to the others, whoever came first', async () => {
  const { read } = observe();
  const given = new AbortController();
  const first = read(given.signal);
  const other = read(signal);
  given.abort(new Error('given up'));
  await expect(first).rejects.toThrow('given up');
  expect(await other).toEqual({ state: 'old' });
});

test('a request without callers is aborted, and no call joins it', async () => {
  const { world, read } = observe();
  const given = new AbortController();
  const only = read(given.signal);
  await sleep(5);
  given.abort(new Error('given up'));
  await expect(only).rejects.toThrow('given up');
  expect(world.asked[0]?.aborted).toBe(true);
  expect(await read(signal, 10_000)).toEqual({ state: 'old' });
  expect(world.asked).toHaveLength(2);
});

test('a caller that gave up beforehand sends no request', async () => {
  const { world, read } = observe();
  await expect(read(AbortSignal.abort(new Error('given up')))).rejects.toThrow('given up');
  expect(world.asked).toEqual([]);
});
