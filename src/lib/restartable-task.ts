/** A work that is done over whenever there is reason to. */
export interface RestartableTask {
  /** There is: what is at work is aborted and begun anew. */
  restart(): void;
  /** Resolves when nothing is at work. */
  idle(): Promise<void>;
}

/**
 * Does the work for the last request there was; one that comes meanwhile aborts it, and it begins anew once that has
 * ended. The work deals with its own errors: one that it throws ends the whole, by `onError`.
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
    restart() {
      isWanted = true;
      superseded.abort();
      running ??= run();
    },
    idle: async () => running,
  };
}
