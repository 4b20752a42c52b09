import { randomBytes } from 'node:crypto';
import { link, lstat, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toDuration } from '../lib/duration.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { findProcess } from '../lib/processes.ts';
import { writeTo } from '../lib/system-failure.ts';
import { codeOf, isMissing, setAside } from './atomic-file.ts';

export interface LockOwner {
  readonly pid: number;
  /** Start of the process, which distinguishes it from a later one with the same PID. */
  readonly started: string;
  /** Its command line, as the user typed it. */
  readonly command: string;
  /** When it got the lock: ISO 8601. */
  readonly since: string;
}

export interface Lock {
  /** Frees the lock. The end of the process, for whatever reason, frees it as well. */
  release(): Promise<void>;
}

export interface LockOptions {
  /** The owner's command line, for the messages of processes that wait. */
  readonly command: string;
  /** Waits for a living owner to end instead of failing; aborted by the signal. */
  readonly wait?: {
    readonly signal: AbortSignal;
    /** Called once for each owner that is waited for. */
    readonly onWait?: (owner: LockOwner) => void;
    /** Milliseconds between two checks. */
    readonly interval?: number;
  };
}

/**
 * Takes the lock, also from a dead owner.
 *
 * The lock is a folder of turns: files named 1, 2, 3…, of which the highest counts and names its owner; an empty or
 * unreadable one has none. A process that finds the highest turn without a living owner creates the next one, which the
 * file system grants to one process only. So a dead owner's lock is never removed, and no two processes can both "clean it
 * up": the fault of lock files that are deleted and created again.
 *
 * @throws {Failure} exit code 10, naming the owner, when that is alive and `wait` is not given.
 */
export async function acquireLock(path: string, { command, wait }: LockOptions): Promise<Lock> {
  await ensureFolder(path);
  let waitedFor: LockOwner | undefined;
  for (;;) {
    const highest = Math.max(0, ...(await listTurns(path)));
    const owner = highest === 0 ? undefined : await findLivingOwner(join(path, String(highest)));
    if (!owner) {
      const turn = highest + 1;
      if (await takeTurn(path, turn, command)) return { release: () => release(join(path, String(turn))) };
      continue;
    }
    if (!wait) throw toFailure(owner);
    if (owner.pid !== waitedFor?.pid || owner.since !== waitedFor.since) wait.onWait?.(owner);
    waitedFor = owner;
    await sleep(wait.interval ?? 200, undefined, { signal: wait.signal });
  }
}

/** The living owner of the lock; undefined when it is free. */
export async function findLockOwner(path: string): Promise<LockOwner | undefined> {
  const highest = Math.max(0, ...(await listTurns(path)));
  return highest === 0 ? undefined : findLivingOwner(join(path, String(highest)));
}

async function ensureFolder(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found && !found.isDirectory()) await setAside(path);
  await makeFolder(path, 0o700);
}

async function listTurns(path: string): Promise<readonly number[]> {
  const names = await readdir(path).catch((error) => {
    if (isMissing(error) || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  });
  return names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
}

/** False when another process took it meanwhile. */
async function takeTurn(path: string, turn: number, command: string): Promise<boolean> {
  const self = await findProcess(process.pid);
  if (!self) throw new Error(`this process, ${process.pid}, is not among the processes`);
  const owner: LockOwner = { pid: self.pid, started: self.started, command, since: new Date().toISOString() };

  // Linked into place with its content, so that no reader sees it half written.
  const draft = join(path, `draft-${process.pid}-${randomBytes(4).toString('hex')}`);
  const file = join(path, String(turn));
  try {
    await writeTo(draft, () => writeFile(draft, JSON.stringify(owner), { mode: 0o600 }));
    await link(draft, file);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }

  const turns = await listTurns(path);
  // Other processes may have taken and removed turns since we listed them: the highest one owns the lock.
  if (turns.some((other) => other > turn)) {
    await rm(file, { force: true });
    return false;
  }
  await Promise.all(
    turns
      .filter((other) => other < turn)
      .map((other) => rm(join(path, String(other)), { recursive: true, force: true })),
  );
  return true;
}

/** A turn without an owner; never removed, since the highest one counts. */
async function release(file: string): Promise<void> {
  await truncate(file).catch((error) => {
    // The folder was removed meanwhile, and the lock with it.
    if (!isMissing(error)) throw error;
  });
}

async function findLivingOwner(file: string): Promise<LockOwner | undefined> {
  const text = await readFile(file, 'utf8').catch((error) => {
    // A turn that is gone, or is no file, has no owner; one that cannot be read now may have one.
    if (isMissing(error) || codeOf(error) === 'EISDIR') return '';
    throw error;
  });
  const owner = parseOwner(text);
  if (!owner) return undefined;
  const found = await findProcess(owner.pid);
  return found?.started === owner.started ? owner : undefined;
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    const { pid, started, command, since } = JSON.parse(text);
    const valid =
      Number.isInteger(pid) && [started, command, since].every((each) => typeof each === 'string');
    return valid ? { pid, started, command, since } : undefined;
  } catch {
    // Damaged: the owner is unknown, so the lock counts as free.
    return undefined;
  }
}

function toFailure({ pid, command, since }: LockOwner): Failure {
  const age = toDuration(Math.max(0, Date.now() - Date.parse(since)));
  return new Failure(`another run is in progress: ${command} (PID ${pid}), for ${age}`, {
    hint: `wait until it has ended, or end it with: kill ${pid}`,
    exitCode: exitCodes.locked,
  });
}
