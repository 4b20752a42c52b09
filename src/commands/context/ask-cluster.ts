import type { Snapshot } from '../../diagnosis/snapshot.ts';
import { isTimeout, withDeadline } from '../../lib/deadline.ts';
import { CommandFailure, Failure } from '../../lib/failure.ts';
import type { ClusterAccess } from './cluster-access.ts';

/** Milliseconds for which the answer is waited for. */
const clusterTimeout = 5_000;

interface ClusterAnswer {
  readonly snapshot?: Snapshot;
  /** Why there is none. */
  readonly silence?: string;
}

/** The state of the cluster as it is now. */
export async function askCluster(
  { snapshots }: Pick<ClusterAccess, 'snapshots'>,
  signal: AbortSignal,
): Promise<ClusterAnswer> {
  try {
    return {
      snapshot: await withDeadline({ timeout: clusterTimeout, signal }, (limited) => snapshots.take(limited)),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (isTimeout(error)) return { silence: `no answer in ${clusterTimeout / 1000} s` };
    if (error instanceof Failure) return { silence: toSilence(error) };
    throw error;
  }
}

/** Why a cluster gave no answer, in as few words as there are. */
function toSilence(failure: Failure): string {
  if (failure instanceof CommandFailure) return failure.stderr.split('\n').at(-1) || failure.message;
  return typeof failure.cause === 'string' ? failure.cause : failure.message;
}
