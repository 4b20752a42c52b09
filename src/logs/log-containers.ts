import type { ContainerStatus, Pod } from '../tools/kubernetes/objects.ts';
import type { ComponentOf, Pods } from '../tools/kubernetes/watch-pods.ts';
import type { LogQuery } from './read-log.ts';

/** The container that wrote a line. */
export interface LogSource {
  /** The component of the platform that the pod belongs to. */
  readonly component: string;
  readonly pod: string;
  readonly container: string;
  /** Last part of the pod's name; undefined while it is the only pod of its component. */
  readonly podSuffix: string | undefined;
  /** Whether the pod has more than one container. */
  readonly isOneOfSeveral: boolean;
}

/** A container that is running or has run, and so has a log. */
export interface LogContainer {
  /** Stays the same when the container restarts. */
  readonly key: string;
  readonly pod: Pod;
  readonly status: ContainerStatus;
}

/** The containers with a log of all selected pods, init containers first. */
export function listContainers(pods: Pods, componentOf: ComponentOf): readonly LogContainer[] {
  return [...pods.values()].filter((pod) => componentOf(pod) !== undefined).flatMap(toContainers);
}

function toContainers(pod: Pod): readonly LogContainer[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
  return [...initContainerStatuses, ...containerStatuses]
    .filter(({ containerID }) => containerID)
    .map((status) => ({ key: `${pod.metadata.uid}/${status.name}`, pod, status }));
}

/** Finds the container in a newer version of its pod; undefined when that is another pod of the same name. */
export function findContainer(pod: Pod, { key }: LogContainer): LogContainer | undefined {
  return toContainers(pod).find((each) => each.key === key);
}

export function toSource(pods: Pods, componentOf: ComponentOf, { pod, status }: LogContainer): LogSource {
  const component = componentOf(pod) ?? '';
  const { name } = pod.metadata;
  const isOnly = [...pods.values()].filter((other) => componentOf(other) === component).length <= 1;
  return {
    component,
    pod: name,
    container: status.name,
    podSuffix: isOnly ? undefined : name.split('-').at(-1),
    isOneOfSeveral: pod.spec.containers.length + (pod.spec.initContainers?.length ?? 0) > 1,
  };
}

/** The query for a container's log. */
export function toQuery(
  { pod, status }: LogContainer,
  { namespace }: { readonly namespace: string },
): LogQuery {
  return { namespace, pod: pod.metadata.name, container: status.name };
}
