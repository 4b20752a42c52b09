import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The kernel's limits for one user. */
export interface InotifyLimits {
  readonly max_user_instances: number;
  readonly max_user_watches: number;
}

/** What one node with the platform in it and a watching `reload` need, with room for another cluster. */
const inotifyNeeded: InotifyLimits = { max_user_instances: 512, max_user_watches: 524_288 };

/** The limits now; undefined where the kernel has none, as on macOS. */
export async function readInotify(root: string): Promise<InotifyLimits | undefined> {
  const read = async (limit: keyof InotifyLimits) =>
    Number(await readFile(join(root, 'proc/sys/fs/inotify', limit), 'utf8'));
  try {
    return {
      max_user_instances: await read('max_user_instances'),
      max_user_watches: await read('max_user_watches'),
    };
  } catch {
    return undefined;
  }
}

/** Those that are too low, with the value they need. */
export function lowInotify(present: InotifyLimits | undefined): Partial<InotifyLimits> {
  const limits = ['max_user_instances', 'max_user_watches'] as const;
  const low = limits.filter((limit) => present !== undefined && present[limit] < inotifyNeeded[limit]);
  return Object.fromEntries(low.map((limit) => [limit, inotifyNeeded[limit]]));
}
