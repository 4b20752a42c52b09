import { listNodeContainers } from '../cluster/ownership.ts';
import type { Docker } from '../tools/docker/docker.ts';

/**
 * Removes every node of the cluster with its anonymous volumes, as `kind delete cluster` does; folders of this machine
 * are preserved. Does not need kind, so that a cluster can always be removed.
 */
export async function removeNodes(docker: Docker, cluster: string, signal: AbortSignal): Promise<void> {
  const nodes = await listNodeContainers(docker, cluster, signal);
  await Promise.all(nodes.map(({ id }) => docker.removeContainer(id, { signal })));
}
