import { isPodReady, type Pod } from '../tools/kubernetes/objects.ts';
import { listEvents } from './events.ts';
import { findPods, type Workload } from './pods.ts';
import type { Snapshot } from './snapshot.ts';

/** Events that repeat while nothing changes. */
const repeated = new Set([
  'Unhealthy',
  'BackOff',
  'FailedScheduling',
  'FailedMount',
  'FailedCreatePodSandBox',
]);

/**
 * How far the pods of a workload have come, as text that changes with each step: a container created, started, restarted
 * or ready, a pod that replaces another, a new event. Another pod of the namespace that becomes ready counts as well,
 * since the workload may wait for it. While an image is pulled the text always changes: containerd ends a pull that
 * stalls by itself.
 */
export function describeReached(snapshot: Snapshot, workload: Workload): string {
  const { current, old, terminating } = findPods(snapshot, workload);
  const others = snapshot.list('Pod').filter(({ metadata }) => metadata.namespace === workload.namespace);
  const isPulling = current.some((pod) => listEvents(snapshot, pod).at(-1)?.reason === 'Pulling');
  return JSON.stringify([
    current.map((pod) => describePod(snapshot, pod)),
    [...old, ...terminating].map(({ metadata }) => metadata.name),
    others.filter(isPodReady).length,
    isPulling ? snapshot.time : undefined,
  ]);
}

function describePod(snapshot: Snapshot, pod: Pod) {
  const { phase, initContainerStatuses = [], containerStatuses = [] } = pod.status;
  const reasons = listEvents(snapshot, pod).map(({ reason }) => reason);
  return [
    pod.metadata.name,
    phase,
    [...initContainerStatuses, ...containerStatuses].map(
      ({ state = {}, containerID, restartCount, ready, started }) => [
        ...Object.keys(state),
        containerID,
        restartCount,
        ready,
        started,
      ],
    ),
    [...new Set(reasons)].filter((reason) => reason !== undefined && !repeated.has(reason)).toSorted(),
  ];
}

/**
 * Returns a function that resolves to whether a log has lines of a kind that it had not before. A program that retries
 * prints the same lines again, with other times, numbers and IDs.
 */
export function createLogProgress(readLog: () => Promise<string | undefined>): () => Promise<boolean> {
  const known = new Set<string>();
  return async () => {
    const before = known.size;
    for (const line of (await readLog())?.split('\n') ?? []) known.add(toKind(line));
    return known.size > before;
  };
}

/** A line without what differs in each of its repetitions. */
function toKind(line: string): string {
  return line.replace(/\b[0-9a-f-]{8,}\b|\d+/gi, '#');
}
