import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { withDeadline } from '../../../services/common/deadline.ts';

const never = () => new Promise<never>(() => {});

test('settles as what it waits for does', async () => {
  expect(await withDeadline(1_000, [], async () => 'answer')).toBe('answer');
  await expect(withDeadline(1_000, [], () => Promise.reject(new Error('refused')))).rejects.toThrow(
    'refused',
  );
});

test('ends after its time, and tells who works for it', async () => {
  let given: AbortSignal | undefined;
  const waiting = withDeadline(10, [], (signal) => {
    given = signal;
    return never();
  });
  await expect(waiting).rejects.toThrow('timeout after 10 ms');
  expect(given?.aborted).toBe(true);
});

test('ends with any of its signals, also with one that was aborted before', async () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const waiting = withDeadline(60_000, [one.signal, other.signal], never);
  other.abort(new Error('left'));
  await expect(waiting).rejects.toThrow('left');
  await expect(withDeadline(60_000, [other.signal], never)).rejects.toThrow('left');
});

test('comes though memory is collected meanwhile, as a combined signal in Node 20 does not', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const collecting = setInterval(collect, 10);
  try {
    await expect(withDeadline(100, [new AbortController().signal], never)).rejects.toThrow('timeout');
  } finally {
    clearInterval(collecting);
  }
});
