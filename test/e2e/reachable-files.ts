import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface FoundFile {
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly isFile: boolean;
}

/** All files and folders below a folder. @param enters whether to look into a folder of this mode */
export async function listFound(
  folder: string,
  enters: (mode: number) => boolean = () => true,
): Promise<readonly FoundFile[]> {
  const { mode } = await lstat(folder);
  if (!enters(mode & 0o777)) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry): Promise<readonly FoundFile[]> => {
      const path = join(folder, entry.name);
      const stats = await lstat(path).catch(() => undefined);
      if (stats === undefined || stats.isSymbolicLink()) return [];
      const own = { path, mode: stats.mode & 0o777, isFile: stats.isFile() };
      return [own, ...(stats.isDirectory() ? await listFound(path, enters) : [])];
    }),
  );
  return found.flat();
}

/** What another user of this machine can change: in folders that it may pass through. */
export async function listWritableByOthers(folder: string): Promise<readonly string[]> {
  const reachable = await listFound(folder, (mode) => (mode & 0o011) !== 0);
  return reachable.filter(({ mode }) => (mode & 0o022) !== 0).map(({ path }) => path);
}
