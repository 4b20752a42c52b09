import { expect, test } from 'vitest';
import { startStopwatch } from '../../src/lib/stopwatch.ts';

test('time spent waiting does not count, while it lasts and afterwards', async () => {
  let now = 1000;
  const stopwatch = startStopwatch(() => now);
  now = 1010;
  expect(stopwatch.elapsed()).toBe(10);
  let end = () => {};
  const pause = stopwatch.pauseWhile(
    new Promise<void>((resolve) => {
      end = resolve;
    }),
  );
  now = 1500;
  expect(stopwatch.elapsed()).toBe(10);
  end();
  await pause;
  now = 1505;
  expect(stopwatch.elapsed()).toBe(15);
});

test('a wait that fails ends the pause', async () => {
  let now = 0;
  const stopwatch = startStopwatch(() => now);
  await expect(stopwatch.pauseWhile(Promise.reject(new Error('no')))).rejects.toThrow('no');
  now = 7;
  expect(stopwatch.elapsed()).toBe(7);
});
