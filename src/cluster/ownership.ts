import { basename } from 'node:path';
import { ownerOnNode } from '../config/kind-cluster.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import type { ContainerState, Docker, DockerContainerDetails } from '../tools/docker.ts';

/** A Kind cluster as its control plane's container shows it, running or not. */
export interface FoundCluster {
  /** Of the control plane's container. */
  readonly id: string;
  readonly name: string;
  /** Name of the control plane's container, which is the node's name too. */
  readonly node: string;
  readonly state: ContainerState;
  /** Id of the checkout that created it; undefined when it was not this tool. */
  readonly owner: string | undefined;
  /** Reference of the node image it was created from. */
  readonly image: string;
  /** On this machine; undefined where the container's port is not published. */
  readonly httpPort: number | undefined;
  readonly httpsPort: number | undefined;
}

/** kind's label on every container of a cluster. */
const clusterLabel = 'io.x-k8s.kind.cluster';

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
  const node = controlPlaneOf(name);
  const container = await docker.findContainer(node, { signal });
  if (container?.labels[clusterLabel] !== name) return undefined;
  const mark = container.mounts.find(({ destination }) => destination === ownerOnNode);
  return {
    id: container.id,
    name,
    node,
    state: container.state,
    owner: mark && basename(mark.source),
    image: container.image,
    httpPort: hostPort(container, 80),
    httpsPort: hostPort(container, 443),
  };
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
  const nodes = await docker.listContainers([`${clusterLabel}=${cluster}`], { signal });
  await Promise.all(nodes.map(({ id }) => docker.removeContainer(id, { signal })));
}

function hostPort(container: DockerContainerDetails, port: number): number | undefined {
  return container.ports.find(({ containerPort }) => containerPort === port)?.hostPort;
}
