import { basename } from 'node:path';
import { ownerOnNode } from '../config/kind-cluster.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { kindClusterLabel } from '../lib/labels.ts';
import type { ContainerState, DockerContainerDetails } from '../tools/docker/containers.ts';
import type { Docker } from '../tools/docker/docker.ts';

/** A node of a Kind cluster, as its container shows it. */
export interface FoundNode {
  /** Of the container. */
  readonly id: string;
  /** Of the container, which is the node's name too. */
  readonly name: string;
  readonly state: ContainerState;
}

/** A Kind cluster as its nodes' containers show it, running or not. */
export interface FoundCluster {
  /** Of the control plane's container. */
  readonly id: string;
  readonly name: string;
  /** The control plane first. */
  readonly nodes: readonly FoundNode[];
  /** running: every node is. Else the state of the first that is not. */
  readonly state: ContainerState;
  /** Id of the checkout that created every node; undefined when it was not this tool, or not one checkout. */
  readonly owner: string | undefined;
  /** Reference of the node image it was created from. */
  readonly image: string;
  /** On this machine; undefined where the container's port is not published. */
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

/** The cluster of that name in the engine; undefined when there is none. */
export async function findCluster(
  docker: Docker,
  name: string,
  signal: AbortSignal,
): Promise<FoundCluster | undefined> {
  const isControlPlane = (container: { readonly name: string }) => container.name === controlPlaneOf(name);
  const listed = await listContainers(docker, name, signal);
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
    image: first.image,
    httpPort: hostPort(first, 80),
    httpsPort: hostPort(first, 443),
  };
}

/** The names of the cluster's nodes that the engine has, running or not. */
export async function listNodeNames(
  docker: Docker,
  cluster: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return (await listContainers(docker, cluster, signal)).map(({ name }) => name);
}

/**
 * Refuses a cluster that this checkout did not create.
 * @throws {Failure} exit code 9, with both ways out.
 */
export function requireOwn(cluster: FoundCluster, checkoutId: string | undefined): void {
  if (cluster.owner !== undefined && cluster.owner === checkoutId) return;
  const whose =
    cluster.owner === undefined ? 'was not created by wealist-local' : 'belongs to another checkout';
  throw new Failure(`cluster ${cluster.name} ${whose}`, {
    hint: `npm run up -- --name ${cluster.name}-2, or npm run down in the checkout that owns it`,
    exitCode: exitCodes.refused,
  });
}

/**
 * Removes every node of the cluster with its anonymous volumes, as `kind delete cluster` does; folders of this machine
 * stay. Needs no kind, so that a cluster can always be removed.
 */
export async function removeNodes(docker: Docker, cluster: string, signal: AbortSignal): Promise<void> {
  const nodes = await listContainers(docker, cluster, signal);
  await Promise.all(nodes.map(({ id }) => docker.removeContainer(id, { signal })));
}

function listContainers(docker: Docker, cluster: string, signal: AbortSignal) {
  return docker.listContainers([`${kindClusterLabel}=${cluster}`], { signal });
}

function findOwner({ mounts }: DockerContainerDetails): string | undefined {
  const mark = mounts.find(({ destination }) => destination === ownerOnNode);
  return mark && basename(mark.source);
}

function hostPort(container: DockerContainerDetails, port: number): number | undefined {
  return container.ports.find(({ containerPort }) => containerPort === port)?.hostPort;
}
