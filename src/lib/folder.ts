import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface FolderFile {
  readonly path: string;
  /** The owner may run it: the only part of a mode that git stores. */
  readonly isExecutable: boolean;
}

/** Every regular file below a folder, sorted by path. */
export async function listFiles(folder: string): Promise<readonly FolderFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.sort().map(async (path) => ({ path, isExecutable: ((await stat(path)).mode & 0o100) !== 0 })),
  );
}
