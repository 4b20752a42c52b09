/** Elapsed time without pauses. */
export interface Stopwatch {
  /** Milliseconds. */
  elapsed(): number;
  /** Pauses until `wait` has ended. */
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
