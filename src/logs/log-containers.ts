import type { ContainerStatus, Pod } from '../tools/kubernetes/objects.ts';
import type { ComponentOf, Pods } from '../tools/kubernetes/watch-pods.ts';
import type { LogQuery } from './read-log.ts';

/** Where a line comes from. */
export interface LogSource {
  /** The part of the platform that the pod belongs to. */
  readonly part: string;
  readonly pod: string;
  readonly container: string;
  /** What tells the pod from the others of its part; undefined while it is the only one. */
  readonly podSuffix: string | undefined;
  /** Whether its pod has other containers. */
  readonly isOneOfSeveral: boolean;
}

/** A container that has a log: it has run, or runs. */
export interface LogContainer {
  /** The same through all its runs. */
  readonly key: string;
  readonly pod: Pod;
  readonly status: ContainerStatus;
}

/** The containers of the wanted pods that have run, init containers first. */
export function listContainers(pods: Pods, partOf: ComponentOf): readonly LogContainer[] {
  return [...pods.values()].filter((pod) => partOf(pod) !== undefined).flatMap(toContainers);
}

function toContainers(pod: Pod): readonly LogContainer[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
  return [...initContainerStatuses, ...containerStatuses]
    .filter(({ containerID }) => containerID)
    .map((status) => ({ key: `${pod.metadata.uid}/${status.name}`, pod, status }));
}

/** The container in what its pod has become; undefined when that is another pod of the same name. */
export function findContainer(pod: Pod, { key }: LogContainer): LogContainer | undefined {
  return toContainers(pod).find((each) => each.key === key);
}

export function toSource(pods: Pods, partOf: ComponentOf, { pod, status }: LogContainer): LogSource {
  const part = partOf(pod) ?? '';
  const { name } = pod.metadata;
  const isOnly = [...pods.values()].filter((other) => partOf(other) === part).length <= 1;
  return {
    part,
    pod: name,
    container: status.name,
    podSuffix: isOnly ? undefined : name.split('-').at(-1),
    isOneOfSeveral: pod.spec.containers.length + (pod.spec.initContainers?.length ?? 0) > 1,
  };
}

/** What asks for a container's log. */
export function toQuery(
  { pod, status }: LogContainer,
  { namespace }: { readonly namespace: string },
): LogQuery {
  return { namespace, pod: pod.metadata.name, container: status.name };
}
