import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { withDeadline } from '../../../services/common/deadline.ts';

const never = () => new Promise<never>(() => {});

test('settles like the work', async () => {
  expect(await withDeadline(1_000, [], async () => 'answer')).toBe('answer');
  await expect(withDeadline(1_000, [], () => Promise.reject(new Error('refused')))).rejects.toThrow(
    'refused',
  );
});

test('rejects after the timeout, and aborts the work', async () => {
  let given: AbortSignal | undefined;
  const waiting = withDeadline(10, [], (signal) => {
    given = signal;
    return never();
  });
  await expect(waiting).rejects.toThrow('timeout after 10 ms');
  expect(given?.aborted).toBe(true);
});

test('rejects when any of the signals is aborted, also before the start', async () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const waiting = withDeadline(60_000, [one.signal, other.signal], never);
  other.abort(new Error('left'));
  await expect(waiting).rejects.toThrow('left');
  await expect(withDeadline(60_000, [other.signal], never)).rejects.toThrow('left');
});

test('fires despite garbage collection, unlike a combined signal in Node 20', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const collecting = setInterval(collect, 10);
  try {
    await expect(withDeadline(100, [new AbortController().signal], never)).rejects.toThrow('timeout');
  } finally {
    clearInterval(collecting);
  }
});
