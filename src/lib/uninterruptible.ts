/** Resolves to the PID of a program that must not be killed; undefined while it has not started. */
type FindPid = () => Promise<number | undefined>;

const running = new Map<Promise<unknown>, FindPid>();

/**
 * Marks work that must not be stopped in the middle, such as an installation of packages: the forced end after Ctrl-C
 * waits for it, and does not kill its program.
 */
export async function withoutForcedEnd<T>(work: () => Promise<T>, findPid: FindPid): Promise<T> {
  const result = work();
  running.set(result, findPid);
  try {
    return await result;
  } finally {
    running.delete(result);
  }
}

/** Resolves when no marked work is running, to whether some was. */
export async function waitForUninterruptible(): Promise<boolean> {
  const wasRunning = running.size > 0;
  while (running.size > 0) await Promise.allSettled(running.keys());
  return wasRunning;
}

/** PIDs of the programs of marked work that is running. */
export async function listUninterruptible(): Promise<readonly number[]> {
  const pids = await Promise.all([...running.values()].map((findPid) => findPid()));
  return pids.filter((pid) => pid !== undefined);
}
