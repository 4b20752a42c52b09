import { ownerOnNode } from '../../src/config/kind-cluster.ts';
import { Failure } from '../../src/lib/failure.ts';
import type { ContainerState, DockerContainerDetails } from '../../src/tools/docker/containers.ts';
import type { Docker } from '../../src/tools/docker/docker.ts';

interface FakeNode {
  /** The kind cluster of the node; undefined for other containers. */
  cluster?: string | undefined;
  /** ID of the checkout that created it. */
  owner?: string | undefined;
  /** The data folder that it mounts; by default the engine's. */
  data?: string;
  state?: ContainerState;
  startedAt?: string;
}

/** An engine in memory with the nodes of kind clusters, which mount `data`, and other containers. */
export function createKindEngine({ data: usualData = '/data' } = {}) {
  const containers = new Map<string, FakeNode>();
  let made = 0;
  const ids = new Map<string, string>();

  const toDetails = (name: string): DockerContainerDetails | undefined => {
    const node = containers.get(name);
    if (!node) return undefined;
    const { cluster, owner, state = 'running', startedAt = '', data = usualData } = node;
    const isControlPlane = name.endsWith('-control-plane');
    return {
      ...{
        id: ids.get(name) ?? '',
        name,
        state,
        startedAt,
        image: 'wealist.local/node:1',
        imageId: 'sha256:1',
      },
      ...{ exitCode: 0, error: '', addresses: {} },
      labels: cluster === undefined ? {} : { 'io.x-k8s.kind.cluster': cluster },
      ports: isControlPlane
        ? [80, 443].map((port) => ({ address: '127.0.0.1', hostPort: port, containerPort: port }))
        : [],
      mounts: [
        { source: `${data}/volumes`, destination: '/var/local-path-provisioner' },
        ...(owner === undefined ? [] : [{ source: `${data}/owners/${owner}`, destination: ownerOnNode }]),
      ],
    };
  };
  const nameOf = (id: string) => [...ids].find(([name, each]) => each === id || name === id)?.[0] ?? '';
  const setState = (id: string, state: ContainerState) => {
    const node = containers.get(nameOf(id));
    if (!node) throw new Error(`no container ${id}`);
    node.state = state;
  };

  const docker: Partial<Docker> = {
    findContainer: async (id) => toDetails(nameOf(id)),
    async listContainers(labels = []) {
      const all = [...containers.keys()].flatMap((name) => toDetails(name) ?? []);
      return all.filter((each) =>
        labels.every((label) => {
          const [key = '', value] = label.split('=');
          return value === undefined ? key in each.labels : each.labels[key] === value;
        }),
      );
    },
    async removeContainer(id) {
      containers.delete(nameOf(id));
    },
    async startContainer(id) {
      if (toDetails(nameOf(id))?.state === 'removing') {
        throw new Failure(`starting container ${id}: container is marked for removal and cannot be started`);
      }
      setState(id, 'running');
    },
    unpauseContainer: async (id) => setState(id, 'running'),
  };

  return {
    docker: docker as Docker,
    names: () => [...containers.keys()],
    idOf: (name: string) => ids.get(name) ?? '',
    stateOf: (name: string) => containers.get(name)?.state ?? 'running',
    add(name: string, node: FakeNode): void {
      made += 1;
      ids.set(name, `id-${made}`);
      containers.set(name, { ...node });
    },
    set(name: string, node: FakeNode): void {
      containers.set(name, { ...containers.get(name), ...node });
    },
  };
}
