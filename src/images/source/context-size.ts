import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DockerfileSource } from './dockerfile-source.ts';
import { readSent } from './ignore-file.ts';

/** What a builder may read of a build context. */
export interface ContextSize {
  readonly bytes: number;
  /** The files and folders at its top, the largest first. */
  readonly largest: readonly { readonly path: string; readonly bytes: number }[];
}

/** The size of what a `.dockerignore` does not exclude. Links are not followed; what cannot be read counts as nothing. */
export async function measureContext(source: DockerfileSource): Promise<ContextSize> {
  const folder = join(source.root, source.context);
  const isSent = await readSent(source);

  async function measure(path: string): Promise<number> {
    const found = await lstat(join(folder, path)).catch(() => undefined);
    if (found?.isFile()) return isSent(path) ? found.size : 0;
    if (!found?.isDirectory()) return 0;
    let bytes = 0;
    // One after the other: a folder of packages has more files than may be open at once.
    for (const name of await list(path)) bytes += await measure(join(path, name));
    return bytes;
  }
  const list = (path: string) => readdir(join(folder, path)).catch(() => []);

  const top = await list('');
  const sizes = await Promise.all(top.map(async (path) => ({ path, bytes: await measure(path) })));
  return {
    bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
    largest: sizes.toSorted((one, other) => other.bytes - one.bytes),
  };
}
