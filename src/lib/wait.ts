import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** Milliseconds between two calls. */
  readonly interval: number;
  /** Milliseconds until the wait gives up. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * Calls `ask` until its result is not undefined and resolves to it; resolves to undefined after the timeout.
 * Throws what `ask` throws, and the signal's reason once it is aborted.
 */
export async function waitFor<T>(
  ask: () => Promise<T | undefined>,
  { interval, timeout, signal }: WaitOptions,
): Promise<T | undefined> {
  const end = performance.now() + timeout;
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() >= end) return undefined;
    await sleep(interval, undefined, { signal });
  }
}
