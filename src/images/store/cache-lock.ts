import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { findProcess } from '../../lib/processes.ts';
import { waitFor } from '../../lib/wait.ts';
import type { Run } from '../../plan/plan.ts';
import { codeOf } from '../../state/atomic-file.ts';
import { acquireLock, findLockOwner, type LockOwner } from '../../state/lock.ts';

export interface FindOrMakeOptions<T> {
  /** The user's cache folder. */
  readonly cache: string;
  /** Names the thing that is made: one process makes it, the others wait and then find it. */
  readonly key: string;
  readonly run: Run;
  find(): Promise<T | undefined>;
  make(): Promise<T>;
}

/**
 * Finds a thing in the cache, or makes it while no other process makes the same and none prunes the cache. A killed
 * process blocks no other one: a lock whose owner is dead is free.
 */
export async function findOrMake<T>({ cache, key, run, find, make }: FindOrMakeOptions<T>): Promise<T> {
  const found = await find();
  if (found !== undefined) return found;
  const { signal, report } = run;
  const lock = await acquireLock(join(cache, 'locks', `${key}.lock`), {
    command: `make ${key}`,
    wait: { signal, onWait: (owner) => report(`waiting: ${describe(owner)} is making the same`) },
  });
  try {
    // This and `withExclusiveCache` each take their own lock first and then look for the other's, so one of them sees it.
    await waitUntilCleared(cache, run);
    return (await find()) ?? (await make());
  } finally {
    await lock.release();
  }
}

export interface CacheUse {
  /** The user's cache folder. */
  readonly cache: string;
  /** What the user of the cache does, as the user typed it. */
  readonly command: string;
  readonly run: Run;
}

/** Runs `work`, which reads the cache, while no process removes anything from it. Any number of processes may do so at once. */
export async function whileCacheIsUsed<T>(
  { cache, command, run }: CacheUse,
  work: () => Promise<T>,
): Promise<T> {
  // A lock that no other one wants, so that it can be removed afterwards.
  const path = join(cache, 'locks', `${usePrefix}${process.pid}-${randomUUID()}.lock`);
  const lock = await acquireLock(path, { command }).catch((error) => {
    // What is cached can be read from a full disk as well.
    if (!unwritable.includes(codeOf(error) ?? '')) throw error;
  });
  try {
    await waitUntilCleared(cache, run);
    return await work();
  } finally {
    // A lock that stays is that of a dead process soon.
    await lock?.release().catch(() => {});
    await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

const unwritable = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM'];

/** Runs `work` while no process makes or reads anything in the cache. @throws {Failure} exit code 10 when one does. */
export async function withExclusiveCache<T>(cache: string, work: () => Promise<T>): Promise<T> {
  const clearing = await acquireLock(clearingLock(cache), { command: 'clear the cache' });
  try {
    const locks = await readdir(join(cache, 'locks'));
    for (const name of locks.filter((each) => each !== clearingName)) {
      const owner = await findLockOwner(join(cache, 'locks', name));
      if (!owner) {
        await removeDeadUse(cache, name);
        continue;
      }
      throw new Failure(`another command is using the cache: ${owner.command} (PID ${owner.pid})`, {
        hint: 'npm run images -- prune',
        exitCode: exitCodes.locked,
      });
    }
    return await work();
  } finally {
    await clearing.release();
  }
}

/** Removes the lock of a use whose process was killed. */
async function removeDeadUse(cache: string, name: string): Promise<void> {
  if (!name.startsWith(usePrefix)) return;
  const pid = Number.parseInt(name.slice(usePrefix.length), 10);
  if (!(await findProcess(pid))) await rm(join(cache, 'locks', name), { recursive: true, force: true });
}

async function waitUntilCleared(cache: string, { signal, report }: Run): Promise<void> {
  let isReported = false;
  const isCleared = async () => {
    const owner = await findLockOwner(clearingLock(cache));
    if (!owner) return true;
    if (!isReported) report(`waiting: ${describe(owner)} is clearing the cache`);
    isReported = true;
    return undefined;
  };
  await waitFor(isCleared, { interval: 100, timeout: Number.POSITIVE_INFINITY, signal });
}

const usePrefix = 'use-';
const clearingName = 'clearing.lock';
const clearingLock = (cache: string) => join(cache, 'locks', clearingName);

function describe({ pid }: LockOwner): string {
  return pid === process.pid ? 'another step' : `process ${pid}`;
}
