import { findPods, type Workload } from '../diagnosis/pods.ts';
import type { Snapshot } from '../diagnosis/snapshot.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';
import type { Pod } from '../tools/kubernetes/objects.ts';

/**
 * Has the pods replaced that crashed and now wait, for minutes, until they are tried again: what made them crash may
 * have been put right, or was but the absence of what starts beside them. Data outlives its pod.
 */
export async function endBackOff(
  snapshot: Snapshot,
  workload: Workload,
  kubectl: Kubectl,
  signal: AbortSignal,
): Promise<void> {
  const names = findPods(snapshot, workload)
    .current.filter(isBackingOff)
    .map(({ metadata }) => metadata.name);
  if (names.length === 0) return;
  const flags = [`--namespace=${workload.namespace}`, '--wait=false', '--ignore-not-found'];
  await kubectl.run(['delete', 'pods', ...flags, ...names], signal);
}

function isBackingOff({ status: { initContainerStatuses = [], containerStatuses = [] } }: Pod): boolean {
  return [...initContainerStatuses, ...containerStatuses].some(
    ({ state }) => state?.waiting?.reason === 'CrashLoopBackOff',
  );
}
