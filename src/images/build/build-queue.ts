import { once } from 'node:events';
import type { Run } from '../../plan/plan.ts';

/** What the machine of the container engine has. */
export interface Capacity {
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
}

/** Runs a build once there is room for it. */
export type BuildQueue = <T>(build: () => Promise<T>, run: Run) => Promise<T>;

export interface BuildQueueDeps {
  /** Called once, at the first build. */
  readonly findCapacity: (signal: AbortSignal) => Promise<Capacity>;
  /** Whether a build failed because the machine had no memory left. */
  readonly isOutOfMemory: (error: unknown) => boolean;
}

/** What one build needs: a compiler for Java or Go takes 1 to 2 GB and several processors. */
const share: Capacity = { cpus: 2, memory: 2e9 };

/** How many builds may run at once. */
export function toBuildLimit({ cpus, memory }: Capacity): number {
  return Math.max(1, Math.min(Math.floor(cpus / share.cpus), Math.floor(memory / share.memory)));
}

/** A queue for the builds of one run. A build that runs out of memory beside others is repeated once, alone. */
export function createBuildQueue({ findCapacity, isOutOfMemory }: BuildQueueDeps): BuildQueue {
  let limit: Promise<number> | undefined;
  let running = 0;
  let started = 0;
  const ended = new EventTarget();

  async function enter({ signal, report }: Run): Promise<void> {
    limit ??= findCapacity(signal)
      .then(toBuildLimit)
      .catch((error) => {
        limit = undefined;
        throw error;
      });
    // Awaited before each comparison: nothing may happen between that and the increment.
    for (let most = await limit; running >= most; most = await limit) {
      report(`waiting for ${running === 1 ? 'another build' : `${running} other builds`} to end`);
      await once(ended, 'ended', { signal }).catch((error) => {
        signal.throwIfAborted();
        throw error;
      });
    }
    running += 1;
    started += 1;
  }

  const inTurn = async <T>(build: () => Promise<T>, run: Run): Promise<T> => {
    await enter(run);
    try {
      run.signal.throwIfAborted();
      return await build();
    } finally {
      running -= 1;
      ended.dispatchEvent(new Event('ended'));
    }
  };

  return async (build, run) => {
    let wasBesideOthers = (): boolean => false;
    try {
      return await inTurn(() => {
        const [others, number] = [running - 1, started];
        wasBesideOthers = () => others > 0 || started > number;
        return build();
      }, run);
    } catch (error) {
      if (!isOutOfMemory(error) || !wasBesideOthers()) throw error;
      run.report('out of memory: building again, one at a time');
      limit = Promise.resolve(1);
      return inTurn(build, run);
    }
  };
}
