import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kindClusterLabel } from '../lib/labels.ts';
import type { Docker } from '../tools/docker/docker.ts';

/** The kernel's limits for one user. */
export interface InotifyLimits {
  readonly max_user_instances: number;
  readonly max_user_watches: number;
}

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

/** Measured: a node with the platform in it has 28 instances and 400 watches, all of them root's. */
const perNode: InotifyLimits = { max_user_instances: 32, max_user_watches: 1_024 };
/** What other programs of root, or `reload --watch`, use beside the nodes. */
const others: InotifyLimits = { max_user_instances: 48, max_user_watches: 8_192 };
/** The values to which a low limit is raised. */
const raised: InotifyLimits = { max_user_instances: 512, max_user_watches: 524_288 };

/** The limits that are too low for this many nodes, with the value to raise them to. */
export function lowInotify(present: InotifyLimits | undefined, nodes: number): Partial<InotifyLimits> {
  const limits = ['max_user_instances', 'max_user_watches'] as const;
  const low = limits.filter((limit) => {
    return present !== undefined && present[limit] < perNode[limit] * nodes + others[limit];
  });
  return Object.fromEntries(low.map((limit) => [limit, Math.max(raised[limit], perNode[limit] * nodes * 2)]));
}

/** The nodes that share the limits once another cluster is created; stopped ones may be started again. */
export async function countNodes(
  docker: Docker | undefined,
  workers = 0,
  signal?: AbortSignal,
): Promise<number> {
  const nodes = await docker?.listContainers([kindClusterLabel], { signal });
  return (nodes?.length ?? 0) + 1 + workers;
}
