import { exitCodes, Failure } from '../lib/failure.ts';
import { findOwnerLoss, findOwnerRecord, type OwnerLoss } from '../state/owner-record.ts';
import { isMounted } from './data-folder.ts';
import { type FoundCluster, requireOwn } from './ownership.ts';

/** A cluster whose checkout cannot use it any more, and whose data are in this run's data folder. */
export interface Orphan {
  readonly cluster: string;
  /** ID of the checkout that created it. */
  readonly owner: string;
  readonly ownerFolder: string;
  /** Path of that checkout. */
  readonly checkout: string;
  readonly loss: OwnerLoss;
}

/** The cluster as an orphan; undefined when its owner exists or is unknown, or its data are in another folder. */
export async function findOrphan(cluster: FoundCluster, data: string): Promise<Orphan | undefined> {
  const { name, owner, ownerFolder } = cluster;
  if (owner === undefined || ownerFolder === undefined || !(await isMounted(cluster, data))) return undefined;
  const record = await findOwnerRecord(ownerFolder);
  const loss = record && (await findOwnerLoss(owner, record));
  return loss && { cluster: name, owner, ownerFolder, checkout: record.checkout, loss };
}

/**
 * Refuses a cluster that this checkout did not create. `data` is this run's data folder of the cluster.
 * @throws {Failure} exit code 9, for an orphan with the command that adopts it.
 */
export async function requireOwnOrAdopted(
  cluster: FoundCluster,
  checkoutId: string | undefined,
  data: string,
): Promise<void> {
  const orphan = cluster.owner === checkoutId ? undefined : await findOrphan(cluster, data);
  if (!orphan) return requireOwn(cluster, checkoutId);
  throw new Failure(describeOrphan(orphan), {
    hint: `npm run up -- --name ${orphan.cluster}, which adopts the cluster after you confirm`,
    exitCode: exitCodes.refused,
  });
}

export function describeOrphan({ cluster, checkout, loss }: Orphan): string {
  return `cluster ${cluster} belongs to checkout ${checkout}, which ${loss}`;
}
