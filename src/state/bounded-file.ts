import { open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exitCodes, Failure } from '../lib/failure.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { writeTo } from '../lib/system-failure.ts';
import { isMissing } from './atomic-file.ts';
import { acquireLock } from './lock.ts';

export interface AppendOptions {
  /** Bytes after which the file is renamed to `<path>.old` and a new one is started. */
  readonly limit: number;
  /** Resolves only once the lines are on the disk. */
  readonly sync: boolean;
}

/**
 * Appends lines to a file (0600) that several processes may append to, with one write. `toLines` gets the identity of
 * the file, which changes when it is started anew. Each line starts with a newline, since the last one may be cut off.
 */
export async function appendLines(
  path: string,
  toLines: (file: string) => readonly string[],
  { limit, sync }: AppendOptions,
): Promise<void> {
  await makeFolder(dirname(path), 0o700);
  // A file that is too long is worth more than one without these lines.
  const unrotated = await rotate(path, limit).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const file = await open(path, 'a', 0o600);
  try {
    const { ino, birthtimeMs } = await file.stat();
    const text = toLines(`${ino}/${birthtimeMs}`).map((line) => `\n${line}`);
    await writeTo(path, async () => {
      await file.appendFile(text.join(''));
      if (sync) await file.sync();
    });
  } finally {
    await file.close();
  }
  if (unrotated) throw unrotated.error;
}

async function rotate(path: string, limit: number): Promise<void> {
  if ((await findSize(path)) <= limit) return;
  // Two processes must not rotate one after the other: the second would replace the long file by a new, short one.
  const lock = await acquireLock(`${path}.lock`, { command: 'rotate' }).catch((error) => {
    if (error instanceof Failure && error.exitCode === exitCodes.locked) return undefined;
    throw error;
  });
  if (!lock) return;
  try {
    if ((await findSize(path)) > limit) await rename(path, `${path}.old`);
  } finally {
    await lock.release();
  }
}

async function findSize(path: string): Promise<number> {
  const found = await stat(path).catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  return found?.size ?? 0;
}
