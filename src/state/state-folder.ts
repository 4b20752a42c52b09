import { access, chmod, constants, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes, Failure } from '../lib/failure.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { toFullDiskHint } from '../lib/system-failure.ts';
import { codeOf, writeFileAtomically } from './atomic-file.ts';
import type { Paths } from './paths.ts';

/**
 * Creates the checkout's state folder, closed to other users (0700) and ignored by git.
 * @throws {Failure} exit code 3 when it cannot be written to, before anything depends on it.
 */
export async function ensureStateFolder({ state }: Pick<Paths, 'state'>): Promise<void> {
  const found = await lstat(state).catch(() => undefined);
  if (found && !found.isDirectory()) {
    throw new Failure(`${state} is not a folder`, { hint: `mv ${quote(state)} ${quote(`${state}.old`)}` });
  }
  try {
    if (!found) await makeFolder(state, 0o700);
    await chmod(state, 0o700);
    await access(state, constants.W_OK);
    await ensureIgnored(state);
  } catch (error) {
    throw new Failure(`${state} cannot be written to`, {
      cause: error,
      hint: toHint(state, codeOf(error)),
      exitCode: exitCodes.host,
    });
  }
}

async function ensureIgnored(state: string): Promise<void> {
  const file = join(state, '.gitignore');
  if (await lstat(file).catch(() => undefined)) return;
  await writeFileAtomically(file, '*\n');
}

function toHint(state: string, code: string | undefined): string {
  if (code === 'ENOSPC') return toFullDiskHint(state);
  if (code === 'EROFS') return 'use a checkout on a file system that can be written to';
  return `sudo chown -R "$(id -un)" ${quote(state)}`;
}

function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
