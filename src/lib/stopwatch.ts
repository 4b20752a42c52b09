/** Time at work: what is spent waiting for others does not count. */
export interface Stopwatch {
  /** Milliseconds. */
  elapsed(): number;
  /** Stops for the time of `wait`. */
  pauseWhile<T>(wait: Promise<T>): Promise<T>;
}

export function startStopwatch(now: () => number = () => performance.now()): Stopwatch {
  const start = now();
  let paused = 0;
  let pausedSince: number | undefined;
  return {
    elapsed: () => (pausedSince ?? now()) - start - paused,
    async pauseWhile(wait) {
      pausedSince = now();
      try {
        return await wait;
      } finally {
        paused += now() - pausedSince;
        pausedSince = undefined;
      }
    },
  };
}
