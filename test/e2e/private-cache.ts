import { cp, link, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../src/state/atomic-file.ts';
import { findPaths } from '../../src/state/paths.ts';

/** What a cluster is made from; Go's caches and the locks of running commands stay where they are. */
const parts = ['blobs', 'files', 'images', 'used'];

/**
 * Makes a cache with the content of this user's, for a test that removes entries or fills a disk. On the same disk the
 * files are hard links: no command writes to an existing entry. Resolves to the value for XDG_CACHE_HOME.
 */
export async function makePrivateCache(folder: string): Promise<string> {
  const { cache } = findPaths();
  for (const part of parts) {
    const names = await readdir(join(cache, part), { recursive: true, withFileTypes: true }).catch(none);
    for (const entry of names) {
      const path = join(entry.parentPath, entry.name);
      const copy = join(folder, 'wealist-local', path.slice(cache.length));
      if (entry.isDirectory()) await mkdir(copy, { recursive: true });
      else {
        await mkdir(join(copy, '..'), { recursive: true });
        await link(path, copy).catch((error) => {
          if (codeOf(error) !== 'EXDEV') throw error;
          return cp(path, copy, { preserveTimestamps: true });
        });
      }
    }
  }
  return folder;
}

function none(error: unknown): [] {
  if (codeOf(error) !== 'ENOENT') throw error;
  return [];
}
