import { dirname } from 'node:path';
import { exitCodes, Failure } from './failure.ts';

const prune = 'npm run images -- prune';

/** Errors of the operating system that only the user can fix. */
const states: Readonly<Record<string, { readonly state: string; readonly hint: string }>> = {
  ENOSPC: { state: 'no space left on device', hint: prune },
  EDQUOT: { state: 'disk quota exceeded', hint: prune },
  EROFS: { state: 'the file system is read-only', hint: 'npm run doctor' },
  EACCES: { state: 'permission denied', hint: 'npm run doctor' },
  EPERM: { state: 'permission denied', hint: 'npm run doctor' },
  EMFILE: { state: 'this process has too many open files', hint: 'ulimit -n 4096' },
  ENFILE: { state: 'the system has too many open files', hint: 'npm run doctor' },
};

/** Such an error, wherever it occurred, as a Failure; undefined for any other error. */
export function toSystemFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  const found = Object.hasOwn(states, String(error.code)) ? states[String(error.code)] : undefined;
  if (!found) return undefined;
  const path = 'path' in error ? String(error.path) : undefined;
  const message = `${error.syscall}${path === undefined ? '' : ` ${path}`}: ${found.state}`;
  return new Failure(message, { cause: error, hint: toHint(found.hint, path), exitCode: exitCodes.host });
}

function toHint(hint: string, path: string | undefined): string {
  return hint === prune && path !== undefined ? toFullDiskHint(path) : hint;
}

/** What helps when `path` cannot be written to. Removing cached images does only where they are on the same disk. */
export function toFullDiskHint(path: string): string {
  return `${prune}, or make room on the disk of ${dirname(path)}`;
}

/**
 * Runs `work`, which writes to `path`. Node names no file in the errors of writing, such as ENOSPC: they get this one,
 * without which nobody knows which disk is full.
 */
export async function writeTo<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'syscall' in error && !('path' in error)) Object.assign(error, { path });
    throw error;
  }
}
