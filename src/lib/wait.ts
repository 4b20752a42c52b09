import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** Milliseconds between two calls. */
  readonly interval: number;
  /** Milliseconds until the wait gives up. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** What has been reached so far; whenever it changes, the timeout begins anew. */
  readonly progress?: () => string;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

/**
 * Calls `ask` until its result is not undefined and resolves to it; resolves to undefined after the timeout.
 * Throws what `ask` throws, and the signal's reason once it is aborted.
 */
export async function waitFor<T>(
  ask: () => Promise<T | undefined>,
  { interval, timeout, signal, progress = () => '', now = () => performance.now() }: WaitOptions,
): Promise<T | undefined> {
  let end = now() + timeout;
  let reached = progress();
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    const current = progress();
    if (current !== reached) end = now() + timeout;
    reached = current;
    if (now() >= end) return undefined;
    await sleep(interval, undefined, { signal });
  }
}
