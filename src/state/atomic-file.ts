import { randomBytes } from 'node:crypto';
import { lstat, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../lib/make-folder.ts';
import { writeTo } from '../lib/system-failure.ts';

/**
 * Writes the whole file or leaves the old one: temporary file beside it, fsync, rename. Creates its folder (0700).
 * `mode` is exact, whatever the umask.
 */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  await makeFolder(dirname(path), 0o700);
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeTo(path, async () => {
      const file = await open(temporary, 'wx', mode);
      try {
        await file.chmod(mode);
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
    });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Errors of file systems that cannot sync a folder: drvfs, 9p, SMB. */
const unsupported = ['EINVAL', 'ENOTSUP', 'ENOSYS', 'EBADF'];

/** A rename is on the disk only once its folder is synced. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync().catch((error) => {
      if (!unsupported.includes(codeOf(error) ?? '')) throw error;
    });
  } finally {
    await folder.close();
  }
}

/**
 * The result of `parse` for the file; undefined when it does not exist. What is not a file, or makes `parse` throw, is
 * renamed to `<path>.bad` and counts as absent: nothing that is stored this way is irreplaceable.
 */
export async function readOrSetAside<T>(path: string, parse: (text: string) => T): Promise<T | undefined> {
  try {
    return parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (isDenied(error)) throw error;
    await setAside(path);
    return undefined;
  }
}

/** Renames to `<path>.bad`, replacing an earlier one. Does nothing when it does not exist. */
export async function setAside(path: string): Promise<void> {
  if (!(await lstat(path).catch(() => undefined))) return;
  await rm(`${path}.bad`, { recursive: true, force: true });
  await rename(path, `${path}.bad`);
}

export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

function isDenied(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EIO', 'EMFILE'].includes(codeOf(error) ?? '');
}

/** The system's name for the error, such as `EEXIST`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
