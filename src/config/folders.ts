import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';

/** Whether `path` is `folder` or inside it; both absolute. */
export function isInside(folder: string, path: string): boolean {
  const below = relative(folder, path);
  return below !== '..' && !below.startsWith('../') && !isAbsolute(below);
}

export type PathKind = 'file' | 'folder' | 'other' | 'missing' | 'unreadable' | 'outside';

/** What exists at a path relative to `root`, symbolic links followed; `outside` when it is not below `root`. */
export async function findBelow(root: string, below: string): Promise<PathKind> {
  const path = resolve(root, below);
  if (isAbsolute(below) || !isInside(root, path)) return 'outside';
  const kind = await findKind(path);
  if (kind === 'missing' || kind === 'unreadable') return kind;
  return isInside(await realpath(root), await realpath(path)) ? kind : 'outside';
}

/** What exists at an absolute path, symbolic links followed. */
export async function findKind(path: string): Promise<Exclude<PathKind, 'outside'>> {
  try {
    const stats = await stat(path);
    if (stats.isFile()) return 'file';
    return stats.isDirectory() ? 'folder' : 'other';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // ELOOP: a symbolic link that points to itself.
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(String(code))) return 'missing';
    if (code === 'EACCES' || code === 'EPERM') return 'unreadable';
    throw error;
  }
}
