import { findPods, type Workload } from '../diagnosis/pods.ts';
import type { Snapshot } from '../diagnosis/snapshot.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';
import type { Pod } from '../tools/kubernetes/objects.ts';

/**
 * Deletes the pods in CrashLoopBackOff, so that their controller replaces them at once instead of after minutes: the
 * cause of the crash may be fixed, or the component that they need may be ready by now. Volumes are preserved.
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
