import { listDescendants } from '../lib/processes.ts';
import { listUninterruptible } from '../lib/uninterruptible.ts';

/** Milliseconds between two looks, and how many looks in a row must find a program stopped. */
const interval = 5_000;
const limit = 6;

/** How often each stopped process was found stopped, by its PID and start. */
let found = new Map<string, number>();
/** PIDs of the programs that were killed, until their runs have ended. */
const killed = new Set<number>();
let running = 0;
let timer: NodeJS.Timeout | undefined;

/**
 * While programs are run, kills those that a signal has stopped (SIGSTOP): nothing else would end them, and the lock would
 * be held for ever. Looks count instead of time, since Ctrl-Z stops this process as well.
 */
export async function killStopped<T>(run: () => Promise<T>): Promise<T> {
  running++;
  timer ??= setInterval(() => void look().catch(() => {}), interval).unref();
  try {
    return await run();
  } finally {
    running--;
    if (running === 0) {
      clearInterval(timer);
      timer = undefined;
      found.clear();
    }
  }
}

/** Whether the program was killed because it was stopped. To be called once, when it has ended. */
export function wasStopped(pid: number | undefined): boolean {
  return pid !== undefined && killed.delete(pid);
}

/** As in `the program was stopped for …`. */
export const stopLimit = interval * limit;

async function look(): Promise<void> {
  const roots = await listUninterruptible();
  const spared = new Set([...roots, ...(await Promise.all(roots.map(listPids))).flat()]);
  const stopped = (await listDescendants(process.pid)).filter((each) => each.isStopped);
  found = new Map(
    stopped.map(({ pid, started }) => {
      const key = `${pid} ${started}`;
      return [key, (found.get(key) ?? 0) + 1];
    }),
  );
  for (const { pid, started } of stopped) {
    if ((found.get(`${pid} ${started}`) ?? 0) < limit || spared.has(pid)) continue;
    killed.add(pid);
    process.kill(pid, 'SIGKILL');
  }
}

async function listPids(root: number): Promise<readonly number[]> {
  return (await listDescendants(root)).map(({ pid }) => pid);
}
