import { setTimeout as sleep } from 'node:timers/promises';

export interface RetryOptions {
  /** Resolves when another attempt may succeed. */
  readonly waitForChange: (signal: AbortSignal) => Promise<void>;
  /** Milliseconds after which a waiting request fails; as a function, asked when the request comes. */
  readonly timeout?: number | (() => number);
  /** Maximum number of requests that wait at the same time. */
  readonly maxWaiting?: number;
  /** Called when requests start to wait, and when a target responds again. */
  readonly onWaiting?: ((isWaiting: boolean) => void) | undefined;
  /** Called with the number of requests that wait, whenever it changes. */
  readonly onHeld?: ((count: number) => void) | undefined;
  /** Milliseconds of waiting after which `onWaiting` is called. */
  readonly notifyAfter?: number;
}

/** served: a target accepted the request. timeout: none did in time. full: too many requests are waiting already. */
export type RetryOutcome = 'served' | 'timeout' | 'full';

/** Retries requests while no target accepts them. */
export interface Retry {
  /**
   * Repeats the attempt until it resolves to true, which means that a target accepted the request. An attempt may
   * resolve to false only when nothing was delivered. @throws the signal's reason, and what the attempt throws.
   */
  run(attempt: () => Promise<boolean>, signal: AbortSignal): Promise<RetryOutcome>;
  /** Call this when a target has responded. */
  responded(): void;
}

/** Milliseconds between two attempts; the delay doubles each time. */
const minDelay = 50;
const maxDelay = 1_000;

export function createRetry({
  waitForChange,
  timeout = 30_000,
  maxWaiting = 256,
  onWaiting,
  onHeld,
  notifyAfter = 1_000,
}: RetryOptions): Retry {
  let isNotified = false;
  let waiting = 0;

  function notify(isWaiting: boolean): void {
    if (isWaiting === isNotified) return;
    isNotified = isWaiting;
    onWaiting?.(isWaiting);
  }

  function count(change: 1 | -1): void {
    waiting += change;
    onHeld?.(waiting);
  }

  async function waitForDelayOrChange(delay: number, signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const combined = AbortSignal.any([signal, done.signal]);
    try {
      await Promise.race([sleep(delay, undefined, { signal: combined }), waitForChange(combined)]);
    } finally {
      done.abort();
    }
  }

  async function wait(
    attempt: () => Promise<boolean>,
    startedAt: number,
    limit: number,
    signal: AbortSignal,
  ): Promise<RetryOutcome> {
    for (let delay = minDelay; ; delay = Math.min(2 * delay, maxDelay)) {
      const remaining = startedAt + limit - performance.now();
      if (remaining <= 0) return 'timeout';
      await waitForDelayOrChange(Math.min(delay, remaining), signal);
      if (await attempt()) return 'served';
      if (performance.now() - startedAt >= notifyAfter) notify(true);
    }
  }

  return {
    async run(attempt, signal) {
      const startedAt = performance.now();
      const limit = typeof timeout === 'function' ? timeout() : timeout;
      if (await attempt()) return 'served';
      if (waiting >= maxWaiting) return 'full';
      count(1);
      try {
        return await wait(attempt, startedAt, limit, signal);
      } finally {
        count(-1);
      }
    },
    responded: () => notify(false),
  };
}
