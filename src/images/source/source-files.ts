import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The files of a folder that are somebody's work, sorted, relative to it: no dependencies, no hidden files, nothing
 * that an editor leaves beside a file while it is open.
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
  // By code unit and not by locale: the order is part of a hash.
  return found.flat().sort();
}

/** `4913` is vim's: made to see whether the folder can be written to. */
const isLeftover = (name: string) =>
  name === 'node_modules' || name === '4913' || /^[.#]|~$|\.(sw[a-p]|tmp|bak|orig|rej)$/.test(name);

/** Whether a path below such a folder is one of them, by its name. */
export function isSourcePath(path: string): boolean {
  return !path.split('/').some(isLeftover);
}
