import { exitCodes, Failure } from '../lib/failure.ts';
import { findComponent, isPodReady, type Pod } from '../tools/kubernetes/objects.ts';
import type { Workload } from './pods.ts';
import type { Snapshot } from './snapshot.ts';
import { judge } from './verdict.ts';

/**
 * The newest pod of a component that is ready and not terminating, else the newest with a running container.
 * @throws {Failure} exit code 8 with the verdict when no such pod exists.
 */
export function getRunningPod(snapshot: Snapshot, workload: Workload): Pod {
  const { name, namespace } = workload;
  const pods = snapshot
    .list('Pod')
    .filter((pod) => pod.metadata.namespace === namespace && findComponent(pod) === name)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted((one, other) => other.metadata.creationTimestamp.localeCompare(one.metadata.creationTimestamp));
  const found = pods.find(isPodReady) ?? pods.find(isRunning);
  if (found) return found;
  const { line, evidence, next } = judge(snapshot, workload);
  throw new Failure(`no pod of ${name} is running`, {
    cause: [line, evidence].filter((text) => text !== undefined).join('\n'),
    hint: next ?? 'npm run status',
    exitCode: exitCodes.workload,
  });
}

function isRunning({ status }: Pod): boolean {
  return status.containerStatuses?.some(({ state }) => state?.running !== undefined) ?? false;
}
