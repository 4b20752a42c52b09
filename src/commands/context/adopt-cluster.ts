import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import { describeOrphan, findOrphan, type Orphan } from '../../cluster/orphan.ts';
import { type FoundCluster, findCluster, listClusterNames } from '../../cluster/ownership.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { writeCheckoutId } from '../../state/checkout-id.ts';
import { type ClusterRecord, findClusterRecord, writeClusterRecord } from '../../state/cluster-record.ts';
import { acquireLock } from '../../state/lock.ts';
import { writeOwnerRecord } from '../../state/owner-record.ts';
import type { Docker } from '../../tools/docker/docker.ts';

export interface Adoption {
  readonly app: Pick<App, 'paths' | 'signal' | 'confirm'>;
  readonly docker: Docker;
  readonly found: FoundCluster;
  /** This run's data folder of the cluster. */
  readonly data: string;
  /** What is recorded for this checkout's cluster. */
  readonly record: ClusterRecord | undefined;
  readonly checkoutId: string | undefined;
  readonly confirmed: boolean;
}

/**
 * Makes this checkout the owner of a cluster whose own checkout cannot use it any more, after confirmation: the owner's
 * ID becomes this checkout's. Changes nothing for a cluster that is not an orphan. Resolves to the checkout's ID.
 * @throws {Failure} exit code 9 when this checkout owns another cluster, 2 or 9 without confirmation.
 */
export async function adoptCluster(adoption: Adoption): Promise<string | undefined> {
  const { app, found, data, checkoutId, confirmed } = adoption;
  const { paths, signal } = app;
  const orphan = await findOrphan(found, data);
  if (!orphan || found.owner === checkoutId) return checkoutId;
  await requireNoOther(adoption, orphan);
  await app.confirm(
    {
      subject: `adopting cluster ${found.name}`,
      heading: `${describeOrphan(orphan)}. This checkout will own it:`,
      lines: [`cluster ${found.name}, ${found.state}`, `its data in ${data}`],
      message: 'Adopt the cluster?',
    },
    confirmed,
  );
  // Of two checkouts that adopt it at once, the second finds the first as the owner.
  const lock = await acquireLock(join(paths.cache, 'locks/adopt-cluster.lock'), {
    command: `adopt cluster ${found.name}`,
    wait: { signal },
  });
  try {
    if (!(await findOrphan(found, data))) return checkoutId;
    await writeOwnerRecord(orphan.ownerFolder, paths);
    const previous = await findClusterRecord({ state: orphan.ownerFolder });
    if (!adoption.record && previous?.name === found.name) await writeClusterRecord(paths, previous);
    await writeCheckoutId(paths, orphan.owner);
    return orphan.owner;
  } finally {
    await lock.release();
  }
}

/** With another ID, this checkout would lose the cluster that it owns. */
async function requireNoOther({ app, docker, record, checkoutId }: Adoption, orphan: Orphan): Promise<void> {
  const { signal } = app;
  const names = checkoutId === undefined ? [] : await listClusterNames(docker, signal);
  const clusters = await Promise.all(names.map((name) => findCluster(docker, name, signal)));
  const owned = clusters.find((each) => each !== undefined && each.owner === checkoutId)?.name;
  const recorded = record?.name === orphan.cluster ? undefined : record?.name;
  const other = owned ?? recorded;
  if (other === undefined) return;
  throw new Failure(`${describeOrphan(orphan)}, and this checkout has cluster ${other}`, {
    hint: `npm run down -- --name ${other}, then npm run up -- --name ${orphan.cluster}, which adopts the cluster`,
    exitCode: exitCodes.refused,
  });
}
