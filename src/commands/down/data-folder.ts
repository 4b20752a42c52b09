import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FoundCluster } from '../../cluster/ownership.ts';
import { nodeRepository } from '../../images/image-keys.ts';
import { toBytes } from '../../lib/bytes.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { isMissing } from '../../state/atomic-file.ts';
import { listSnapshots, toSnapshotsFolder } from '../../state/database-snapshots.ts';
import { findOwnerLoss, findOwnerRecord } from '../../state/owner-record.ts';
import type { Toolchain } from '../../tools/toolchain.ts';
import type { RunInContainer, VolumeFolders } from '../../tools/volume-folders.ts';

/**
 * The owner marks in a data folder name its checkouts; a folder without a mark has no cluster's data yet.
 * @throws {Failure} exit code 9 when another checkout, which still exists, created the last cluster that used it.
 */
export async function requireOwnData(data: string, checkoutId: string): Promise<void> {
  const owners = join(data, 'owners');
  const marks = await Promise.all(
    (await readFolder(owners)).map(async (owner) => ({
      owner,
      used: await findLastUse(join(owners, owner)),
    })),
  );
  const [last] = marks.toSorted((a, b) => b.used - a.used);
  if (last === undefined || last.owner === checkoutId) return;
  const record = await findOwnerRecord(join(owners, last.owner));
  if (record && (await findOwnerLoss(last.owner, record))) return;
  throw new Failure(`the data in ${data} belongs to another checkout`, {
    hint: 'npm run down -- --delete-data in the checkout that it belongs to',
    exitCode: exitCodes.refused,
  });
}

/** When this owner created a cluster last: the time of the note about it, else of the mark itself. */
async function findLastUse(mark: string): Promise<number> {
  const found = await Promise.all(
    [join(mark, 'created'), mark].map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return Math.max(...found);
}

/** What would be deleted: one line per volume, with its size, and per snapshot. */
export async function describeData(
  data: string,
  volumes: Pick<VolumeFolders, 'measure'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const measured = await volumes.measure(signal);
  const snapshots = await listSnapshots(toSnapshotsFolder(dirname(data), basename(data)));
  return [
    ...measured.map(({ name, bytes }) => `${name}: ${bytes === undefined ? 'size unknown' : toBytes(bytes)}`),
    ...snapshots.map(({ name, created }) => `snapshot ${name} of ${created}`),
    `${data}: the secrets, without which no copy of the data can be opened`,
  ];
}

/** Containers of the cluster's node image, or of that of a previous cluster: no other image is known to be in the engine. */
export function createRunInContainer(
  { docker, dockerCli }: Pick<Toolchain, 'docker' | 'dockerCli'>,
  cluster: Pick<FoundCluster, 'image'> | undefined,
): RunInContainer {
  async function findImage(signal: AbortSignal): Promise<string> {
    const own = cluster && (await docker.findImage(cluster.image, { signal }));
    if (own) return own.id;
    const isNode = (tag: string) => tag.startsWith(`${nodeRepository}:`) || tag.startsWith('kindest/node:');
    const [newest] = (await docker.listImages(undefined, { signal }))
      .filter(({ tags }) => tags.some(isNode))
      .toSorted((a, b) => b.created - a.created);
    if (newest) return newest.id;
    throw new Failure('the container engine has no node image', { hint: 'npm run images build node' });
  }

  return async (folder, argv, signal) => {
    const image = await findImage(signal);
    return (await dockerCli.run(image, argv, { folder, mountedAt: '/data', signal })).stdout;
  };
}

async function readFolder(path: string): Promise<readonly string[]> {
  return readdir(path).catch((error) => {
    if (!isMissing(error)) throw error;
    return [];
  });
}
