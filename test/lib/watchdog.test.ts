import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createWatch } from '../../src/lib/watchdog.ts';

/** A call that never ends by itself. */
const hang = (signal: AbortSignal) => sleep(60_000, undefined, { signal });

test('all running calls end with what the look threw, whatever they throw themselves', async () => {
  const reason = new Error('the node is paused');
  const watch = createWatch(
    () => async () => {
      throw reason;
    },
    5,
  );
  const calls = [
    watch(undefined, hang),
    watch(new AbortController().signal, (signal) =>
      hang(signal).catch(() => {
        throw new Error('helm was ended by SIGTERM');
      }),
    ),
  ];
  for (const call of calls) await expect(call).rejects.toBe(reason);
});

test('a call that ends by itself keeps its result, and the signal of the caller ends it as well', async () => {
  let looks = 0;
  const watch = createWatch(
    () => async () => {
      looks += 1;
    },
    1,
  );
  const untilTwice = async () => {
    while (looks < 2) await sleep(1);
    return 'done';
  };
  expect(await watch(undefined, untilTwice)).toBe('done');
  const interrupted = new AbortController();
  const call = watch(interrupted.signal, hang);
  interrupted.abort(new Error('interrupted'));
  await expect(call).rejects.toThrow('interrupted');
  const before = looks;
  await sleep(20);
  expect(looks).toBe(before);
});

test('a call that began after the look is not ended by it', async () => {
  let end = () => {};
  let looks = 0;
  const watch = createWatch(
    () => async () => {
      looks += 1;
      if (looks > 1) return;
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      throw new Error('the node was paused');
    },
    1,
  );
  const early = watch(undefined, hang);
  await expect.poll(() => looks).toBe(1);
  const late = watch(undefined, () => sleep(30, 'done'));
  end();
  await expect(early).rejects.toThrow('the node was paused');
  expect(await late).toBe('done');
});
