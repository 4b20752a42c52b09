import { basename } from 'node:path';
import { ownerOnNode } from '../config/kind-cluster.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { kindClusterLabel } from '../lib/labels.ts';
import type { ContainerState, DockerContainerDetails } from '../tools/docker/containers.ts';
import type { Docker } from '../tools/docker/docker.ts';

/** A node of a Kind cluster, as its container shows it. */
export interface FoundNode {
  /** ID of the container. */
  readonly id: string;
  /** Name of the container, which is also the node's name. */
  readonly name: string;
  readonly state: ContainerState;
}

/** A Kind cluster as its nodes' containers show it, running or not. */
export interface FoundCluster {
  /** ID of the control plane's container. */
  readonly id: string;
  readonly name: string;
  /** The control plane first. */
  readonly nodes: readonly FoundNode[];
  /** `running` when every node is running, else the state of the first node that is not. */
  readonly state: ContainerState;
  /** ID of the checkout that created every node; undefined when another tool or several checkouts created them. */
  readonly owner: string | undefined;
  /** The folder of this machine whose mount shows the owner; undefined when the control plane has no such mount. */
  readonly ownerFolder: string | undefined;
  /** Reference of the node image that the cluster was created from. */
  readonly image: string;
  /** Port on this machine; undefined where the container's port is not published. */
  readonly httpPort: number | undefined;
  readonly httpsPort: number | undefined;
}

/** kind's label on every container of a cluster. */

/** The names that kind gives to the containers of a cluster with this many workers, the control plane first. */
export function nodeNamesOf(cluster: string, workers: number): readonly string[] {
  const names = Array.from({ length: workers }, (_, at) => `${cluster}-worker${at === 0 ? '' : at + 1}`);
  return [controlPlaneOf(cluster), ...names];
}

/** The name kind gives the container of a cluster's control plane. */
export function controlPlaneOf(cluster: string): string {
  return `${cluster}-control-plane`;
}

/** The cluster of that name in the engine; undefined when it does not exist. */
export async function findCluster(
  docker: Docker,
  name: string,
  signal: AbortSignal,
): Promise<FoundCluster | undefined> {
  const isControlPlane = (container: { readonly name: string }) => container.name === controlPlaneOf(name);
  const listed = await listNodeContainers(docker, name, signal);
  const found = await Promise.all(listed.map(({ id }) => docker.findContainer(id, { signal })));
  const containers = found
    .filter((container) => container !== undefined)
    .sort((a, b) => Number(isControlPlane(b)) - Number(isControlPlane(a)) || a.name.localeCompare(b.name));
  const [first] = containers;
  if (!first) return undefined;
  const nodes = containers.map(({ id, name, state }) => ({ id, name, state }));
  const owners = new Set(containers.map(findOwner));
  const [owner] = owners;
  return {
    id: first.id,
    name,
    nodes,
    state: nodes.find(({ state }) => state !== 'running')?.state ?? 'running',
    owner: owners.size === 1 ? owner : undefined,
    ownerFolder: findOwnerFolder(first),
    image: first.image,
    httpPort: hostPort(first, 80),
    httpsPort: hostPort(first, 443),
  };
}

/** Names of all kind clusters in the engine. */
export async function listClusterNames(docker: Docker, signal: AbortSignal): Promise<readonly string[]> {
  const containers = await docker.listContainers([kindClusterLabel], { signal });
  return [...new Set(containers.flatMap(({ labels }) => labels[kindClusterLabel] ?? []))];
}

/** Names of the cluster's nodes in the engine, running or not. */
export async function listNodeNames(
  docker: Docker,
  cluster: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return (await listNodeContainers(docker, cluster, signal)).map(({ name }) => name);
}

/**
 * Refuses a cluster that this checkout did not create.
 * @throws {Failure} exit code 9, with both ways to go on.
 */
export function requireOwn(cluster: FoundCluster, checkoutId: string | undefined): void {
  if (cluster.owner !== undefined && cluster.owner === checkoutId) return;
  const reason =
    cluster.owner === undefined ? 'was not created by wealist-local' : 'belongs to another checkout';
  throw new Failure(`cluster ${cluster.name} ${reason}`, {
    hint: `npm run up -- --name ${cluster.name}-2, or npm run down in the checkout that owns it`,
    exitCode: exitCodes.refused,
  });
}

/** Whether the engine is removing one of its nodes, or has failed to: such a container cannot be started again. */
export function isBeingRemoved({ nodes }: Pick<FoundCluster, 'nodes'>): boolean {
  return nodes.some(({ state }) => state === 'removing' || state === 'dead');
}

/** The containers that carry kind's label for this cluster, running or not. */
export function listNodeContainers(
  docker: Pick<Docker, 'listContainers'>,
  cluster: string,
  signal: AbortSignal,
) {
  return docker.listContainers([`${kindClusterLabel}=${cluster}`], { signal });
}

function findOwner(container: DockerContainerDetails): string | undefined {
  const folder = findOwnerFolder(container);
  return folder && basename(folder);
}

function findOwnerFolder({ mounts }: DockerContainerDetails): string | undefined {
  const mark = mounts.find(({ destination }) => destination === ownerOnNode);
  // Docker Desktop reports a folder of this machine by its path in the engine's virtual machine.
  return mark?.source.replace(/^\/host_mnt(?=\/)/, '');
}

function hostPort(container: DockerContainerDetails, port: number): number | undefined {
  return container.ports.find(({ containerPort }) => containerPort === port)?.hostPort;
}
