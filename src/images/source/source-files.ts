import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder with source of a service. */
export interface SourceFolder {
  /** Absolute path. */
  readonly folder: string;
  /** Whether a path relative to `folder` is source. */
  readonly isSource: (path: string) => boolean;
}

/**
 * The source files of a folder, sorted, relative to it: without dependencies, hidden files, and temporary files of
 * editors.
 */
export async function listSourceFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter(({ name }) => !isLeftover(name))
      .map(async (entry) => {
        if (entry.isFile()) return [entry.name];
        if (!entry.isDirectory()) return [];
        const below = await listSourceFiles(join(folder, entry.name));
        return below.map((path) => `${entry.name}/${path}`);
      }),
  );
  // Sorted by code unit, not by locale, since the order is part of a hash.
  return found.flat().sort();
}

/** `4913` is vim's test file for whether the folder is writable. */
const isLeftover = (name: string) =>
  name === 'node_modules' || name === '4913' || /^[.#]|~$|\.(sw[a-p]|tmp|bak|orig|rej)$/.test(name);

/** Whether a path relative to a source folder is a source file, judged by its name. */
export function isSourcePath(path: string): boolean {
  return !path.split('/').some(isLeftover);
}
