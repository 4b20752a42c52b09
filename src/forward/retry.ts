import { setTimeout as sleep } from 'node:timers/promises';

export interface RetryOptions {
  /** Resolves when it may be worth trying again. */
  readonly changed: (signal: AbortSignal) => Promise<void>;
  /** Milliseconds that somebody is kept waiting for an answer. */
  readonly timeout?: number;
  /** How many wait at once at most. */
  readonly most?: number;
  /** Told when somebody has to wait, and when nobody does any longer. */
  readonly onWaiting?: ((isWaiting: boolean) => void) | undefined;
  /** Milliseconds after which a wait is told of. */
  readonly tellAfter?: number;
}

/** served: somebody took it. late: nobody did in time. full: too many wait already. */
export type RetryOutcome = 'served' | 'late' | 'full';

/** Keeps those waiting who nobody answers yet. */
export interface Retry {
  /**
   * Makes the attempt until it resolves to true: somebody took what is asked. It resolves to false only when nothing of
   * it was delivered to anybody. @throws the signal's reason, and what the attempt throws.
   */
  until(attempt: () => Promise<boolean>, gone: AbortSignal): Promise<RetryOutcome>;
  /** To be called when somebody has answered. */
  answered(): void;
}

const shortestPause = 50;
const longestPause = 1_000;

export function createRetry({
  changed,
  timeout = 30_000,
  most = 256,
  onWaiting,
  tellAfter = 1_000,
}: RetryOptions): Retry {
  let isTold = false;
  let waiting = 0;

  function tell(isWaiting: boolean): void {
    if (isWaiting === isTold) return;
    isTold = isWaiting;
    onWaiting?.(isWaiting);
  }

  async function pauseOrChange(pause: number, gone: AbortSignal): Promise<void> {
    const either = new AbortController();
    const both = AbortSignal.any([gone, either.signal]);
    try {
      await Promise.race([sleep(pause, undefined, { signal: both }), changed(both)]);
    } finally {
      either.abort();
    }
  }

  async function wait(
    attempt: () => Promise<boolean>,
    begun: number,
    gone: AbortSignal,
  ): Promise<RetryOutcome> {
    for (let pause = shortestPause; ; pause = Math.min(2 * pause, longestPause)) {
      const left = begun + timeout - performance.now();
      if (left <= 0) return 'late';
      await pauseOrChange(Math.min(pause, left), gone);
      if (await attempt()) return 'served';
      if (performance.now() - begun >= tellAfter) tell(true);
    }
  }

  return {
    async until(attempt, gone) {
      const begun = performance.now();
      if (await attempt()) return 'served';
      if (waiting >= most) return 'full';
      waiting++;
      try {
        return await wait(attempt, begun, gone);
      } finally {
        waiting--;
      }
    },
    answered: () => tell(false),
  };
}
