import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Change } from '../change.ts';
import type { Root } from '../root.ts';

/** What a node with eight services and a watching CLI need together; the kernel's defaults are made for a desktop. */
export const inotifyNeeded = { max_user_instances: 512, max_user_watches: 524_288 } as const;
type Limit = keyof typeof inotifyNeeded;
const limits = Object.keys(inotifyNeeded) as readonly Limit[];

const file = '/etc/sysctl.d/60-wealist-local.conf';
const kernel = '/proc/sys/fs/inotify';

/** The kernel's present inotify limits; undefined where it has none (macOS). */
export async function readInotify(folder = kernel): Promise<Readonly<Record<Limit, number>> | undefined> {
  try {
    const [max_user_instances, max_user_watches] = await Promise.all(
      limits.map(async (limit) => Number(await readFile(join(folder, limit), 'utf8'))),
    );
    return max_user_instances === undefined || max_user_watches === undefined
      ? undefined
      : { max_user_instances, max_user_watches };
  } catch {
    return undefined;
  }
}

/** The limits raised now and at each start of the machine; a higher one is left as it is. */
export function raiseInotify(root: Root): Change {
  const settings = limits.map((limit) => `fs.inotify.${limit}=${inotifyNeeded[limit]}`);
  return {
    id: 'inotify-limits',
    title: `inotify limits raised: ${settings.join(', ')}`,
    why: 'each container watches files, and with too few watches the cluster stops with "too many open files"',
    command: root.show(`sysctl -w ${settings.join(' ')}`),
    isNeeded: async () => (await listLow()).length > 0,
    async apply({ signal }) {
      const low = (await listLow()).map((limit) => `fs.inotify.${limit}=${inotifyNeeded[limit]}`);
      await root.run('sysctl', ['-w', ...low], { signal });
      await root.writeFile(file, `${low.join('\n')}\n`, '0644');
    },
  };
}

async function listLow(): Promise<readonly Limit[]> {
  const present = await readInotify();
  return present === undefined ? [] : limits.filter((limit) => present[limit] < inotifyNeeded[limit]);
}
