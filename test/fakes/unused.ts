import { utimes } from 'node:fs/promises';
import { join } from 'node:path';

/** Makes files of a cache appear as if they were used 15 days ago. */
export async function makeUnused(cache: string, ...files: readonly string[]): Promise<void> {
  const time = (Date.now() - 15 * 24 * 60 * 60 * 1000) / 1000;
  for (const file of files) await utimes(join(cache, file), time, time);
}
