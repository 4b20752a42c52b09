import { noteAnnotation } from '../lib/labels.ts';
import type { Pod } from '../tools/kubernetes/objects.ts';
import { findIntercept, type Intercept } from './intercept.ts';
import { findServiceLiveFiles, type ServiceLiveFiles } from './live-files.ts';
import { findPods, type Workload } from './pods.ts';
import type { Snapshot } from './snapshot.ts';
import { judgeNeeded, type Verdict } from './verdict.ts';

/** A workload as one line of `status`. */
export interface ComponentStatus
  extends Pick<Verdict, 'state' | 'ready' | 'wanted' | 'line' | 'evidence' | 'next'> {
  /** Image of its newest pods, as the chart names it. */
  readonly image: string | undefined;
  /** ID of the image that they run; undefined while no container has one. */
  readonly imageId: string | undefined;
  /** Image of the container that has the workload's name, for each of the newest pods that has started it. */
  readonly running: readonly { readonly reference: string; readonly id: string }[];
  /** Who intercepts the service of this name: its pods then get no requests. */
  readonly intercept: Intercept | undefined;
  /** Files in its running containers that differ from those of its image. */
  readonly live: ServiceLiveFiles | undefined;
  /** Restarts of all containers of its newest pods. */
  readonly restarts: number;
  /** Creation time of the oldest of its newest pods, in milliseconds since the epoch. */
  readonly created: number | undefined;
  /** A remark of its chart that is not a fault, such as a missing optional dependency. */
  readonly note?: string;
}

/** The status of a workload; crashes count however long ago they were. */
export function toComponentStatus(snapshot: Snapshot, workload: Workload): ComponentStatus {
  const { state, ready, wanted, line, evidence, next } = judgeNeeded(snapshot, workload);
  const { current } = findPods(snapshot, workload);
  const containers = current.flatMap(({ status }) => status.containerStatuses ?? []);
  const note = snapshot.find(workload.kind, workload.name, workload.namespace)?.metadata.annotations?.[
    noteAnnotation
  ];
  const created = current.map(({ metadata }) => Date.parse(metadata.creationTimestamp));
  return {
    ...{ state, ready, wanted, line },
    ...(evidence === undefined ? {} : { evidence }),
    ...(next === undefined ? {} : { next }),
    ...(note === undefined ? {} : { note }),
    image: current.at(-1)?.spec.containers[0]?.image,
    imageId: toImageId(current.at(-1)),
    running: current.flatMap((pod) => findRunning(pod, workload.name)),
    intercept: findIntercept(snapshot, workload.name, workload.namespace),
    live: findServiceLiveFiles(current, workload.name),
    restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    created: created.length === 0 ? undefined : Math.min(...created),
  };
}

function findRunning({ spec, status }: Pod, container: string): ComponentStatus['running'] {
  const { image: reference = '' } = spec.containers.find(({ name }) => name === container) ?? {};
  const id = status.containerStatuses?.find(({ name }) => name === container)?.imageID;
  return id ? [{ reference, id }] : [];
}

/** `sha256:…`, without the repository that precedes the digest of a pulled image. */
function toImageId(pod: Pod | undefined): string | undefined {
  const id = pod?.status.containerStatuses?.[0]?.imageID;
  return id ? /sha256:[0-9a-f]+$/.exec(id)?.[0] : undefined;
}
