import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { exitCodes, Failure } from '../lib/failure.ts';
import { toShellWord } from '../lib/shell-word.ts';
import { isMissing } from '../state/atomic-file.ts';
import type { FoundCluster } from './ownership.ts';

/** Name of the folder in which `XDG_DATA_HOME` has the data of all clusters: see `findPaths`. */
const dataHomeFolder = 'wealist-local';

/** The data folder that the nodes of a cluster mount; undefined when they mount none. */
export function findMountedData({ ownerFolder }: Pick<FoundCluster, 'ownerFolder'>): string | undefined {
  return ownerFolder === undefined ? undefined : dirname(dirname(ownerFolder));
}

/** Whether the nodes mount this data folder. Symbolic links are followed. */
export async function isMounted(cluster: Pick<FoundCluster, 'ownerFolder'>, data: string): Promise<boolean> {
  const mounted = findMountedData(cluster);
  if (mounted === undefined) return false;
  return resolve(mounted) === resolve(data) || (await toRealPath(mounted)) === (await toRealPath(data));
}

/**
 * Refuses a cluster whose nodes mount another data folder than this run's, such as that of another user or an unmounted
 * disk: its databases and their secrets are in the other one. `command` is what the user runs.
 * @throws {Failure} exit code 9 that names the folders and both ways to go on.
 */
export async function requireDataFolder(
  cluster: Pick<FoundCluster, 'name' | 'ownerFolder'>,
  data: string,
  command = 'npm run up',
): Promise<void> {
  const { name, ownerFolder } = cluster;
  const mounted = findMountedData(cluster);
  // Without the mount the cluster is not ours, which is checked first.
  if (ownerFolder === undefined || mounted === undefined) return;
  if (await isLost(ownerFolder)) {
    throw new Failure(`folder ${ownerFolder}, which cluster ${name} mounts, does not exist`, {
      cause: 'its disk is not mounted, or it was moved or deleted',
      hint: `bring the folder back, then ${command}; or npm run down, then npm run up, which creates the cluster with the data in ${data}`,
      exitCode: exitCodes.refused,
    });
  }
  if (await isMounted(cluster, data)) return;
  const home = dirname(mounted);
  const canBeNamed = basename(home) === dataHomeFolder;
  const again = canBeNamed ? `XDG_DATA_HOME=${toShellWord(dirname(home))} ${command}, or ` : '';
  throw new Failure(
    `cluster ${name} has its data in ${mounted}, and the data folder of this run is ${data}`,
    {
      cause: 'HOME or XDG_DATA_HOME has changed since the cluster was created',
      hint: `${again}npm run down, which removes the cluster and preserves the data in both folders`,
      exitCode: exitCodes.refused,
    },
  );
}

/** Only a folder that certainly does not exist is lost: another user's may be unreadable. */
async function isLost(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => !found.isDirectory(),
    (error) => isMissing(error),
  );
}

/** The path itself where it cannot be resolved. */
async function toRealPath(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}
