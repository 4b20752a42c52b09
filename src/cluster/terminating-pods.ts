import { findPods, type Workload } from '../diagnosis/pods.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import { waitFor } from '../lib/wait.ts';
import type { Run } from '../plan/plan.ts';

/** Milliseconds until the wait gives up, without an error. */
const timeout = 15_000;

/** Waits until the replaced pods have terminated: keep-alive connections stay with them until then. */
export async function waitUntilTerminated(
  workload: Workload,
  snapshots: Snapshots,
  { signal }: Run,
): Promise<void> {
  const isTerminated = async () =>
    findPods(await snapshots.take(signal), workload).terminating.length === 0 || undefined;
  await waitFor(isTerminated, { interval: 200, timeout, signal });
}
