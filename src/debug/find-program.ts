import type { ContainerProgram } from '../tools/docker/container-programs.ts';
import type { Pod } from '../tools/kubernetes/objects.ts';

/** Where a service's container runs. */
export interface ContainerPlace {
  readonly node: string;
  /** ID of containerd. */
  readonly id: string;
  /** Name in the pod. */
  readonly name: string;
}

/** The container of a pod that has the service's name, else its first one; undefined while it does not run. */
export function findContainer({ spec, status }: Pod, service: string): ContainerPlace | undefined {
  const statuses = status.containerStatuses ?? [];
  const found = statuses.find(({ name }) => name === service) ?? statuses[0];
  const id = found?.state?.running && found.containerID?.replace('containerd://', '');
  return id && spec.nodeName ? { node: spec.nodeName, id, name: found.name } : undefined;
}

/**
 * The program of a container that a debugger is meant for: the one that listens on the service's port, and not npm or a
 * shell that has started it; else the last one whose debugger is known.
 */
export function findProgram(programs: readonly ContainerProgram[]): ContainerProgram | undefined {
  const known = programs.filter(({ runtime }) => runtime !== 'other');
  return programs.find(({ listens }) => listens) ?? known.at(-1) ?? programs.at(-1);
}
