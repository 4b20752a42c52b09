import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';

/** Whether `path` is `folder` or lies in it; both absolute. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith('../') && !isAbsolute(way);
}

export type PathKind = 'file' | 'folder' | 'other' | 'missing' | 'unreadable' | 'outside';

/** What stands at `way` below the folder `root`, also through symbolic links; outside when any of them leaves it. */
export async function findBelow(root: string, way: string): Promise<PathKind> {
  const path = resolve(root, way);
  if (isAbsolute(way) || !isInside(root, path)) return 'outside';
  const kind = await findKind(path);
  if (kind === 'missing' || kind === 'unreadable') return kind;
  return isInside(await realpath(root), await realpath(path)) ? kind : 'outside';
}

/** What stands at an absolute path, symbolic links followed. */
export async function findKind(path: string): Promise<Exclude<PathKind, 'outside'>> {
  try {
    const stats = await stat(path);
    if (stats.isFile()) return 'file';
    return stats.isDirectory() ? 'folder' : 'other';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // ELOOP: a symbolic link that leads to itself.
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(String(code))) return 'missing';
    if (code === 'EACCES' || code === 'EPERM') return 'unreadable';
    throw error;
  }
}
