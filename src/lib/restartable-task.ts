/** A task that is started again, from the beginning, on request. */
export interface RestartableTask {
  /** Starts it; aborts a run in progress and starts it again. */
  restart(): void;
  /** Starts it; a run in progress ends first. */
  repeat(): void;
  /** Resolves when no run is in progress. */
  idle(): Promise<void>;
}

/**
 * Runs `work` after each request; a request during a run aborts it, and `work` starts again once it has ended. `work`
 * handles expected errors itself: one that it throws is passed to `onError`.
 */
export function createRestartableTask(
  work: (signal: AbortSignal) => Promise<void>,
  { signal, onError }: { readonly signal: AbortSignal; readonly onError: (error: unknown) => void },
): RestartableTask {
  let superseded = new AbortController();
  let isWanted = false;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (isWanted && !signal.aborted) {
      isWanted = false;
      superseded = new AbortController();
      try {
        await work(AbortSignal.any([signal, superseded.signal]));
      } catch (error) {
        if (!superseded.signal.aborted && !signal.aborted) onError(error);
      }
    }
    running = undefined;
  }

  return {
    repeat() {
      isWanted = true;
      running ??= run();
    },
    restart() {
      isWanted = true;
      superseded.abort();
      running ??= run();
    },
    idle: async () => running,
  };
}
