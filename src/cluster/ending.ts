import { findPods, type Workload } from '../diagnosis/pods.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import { waitFor } from '../lib/wait.ts';
import type { Run } from '../plan/plan.ts';

/** Milliseconds for which pods that were told to end are waited for. */
const timeout = 15_000;

/** Waits until the pods that were replaced are gone: connections that are kept alive lead to them until they end. */
export async function waitUntilReplaced(
  workload: Workload,
  snapshots: Snapshots,
  { signal }: Run,
): Promise<void> {
  const isReplaced = async () =>
    findPods(await snapshots.take(signal), workload).ending.length === 0 || undefined;
  await waitFor(isReplaced, { interval: 200, timeout, signal });
}
