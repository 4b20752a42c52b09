import type { Environment, NodeType } from '../config/schema.ts';
import { findPodSpec, type Manifest, type ManifestContainer, type PodSpec } from '../diff/manifest.ts';
import { parseQuantity, toAmount } from '../lib/quantity.ts';

/** Whether all pods fit onto the nodes by their requests. */
export interface NodeFit {
  /** With the minimum number of replicas. */
  readonly least: Placement;
  /** With the maximum number of replicas; undefined where nothing is autoscaled. */
  readonly most: Placement | undefined;
}

interface Placement {
  readonly pods: number;
  /** The requests, and what the nodes can allocate: `16 of 51 pods, 1000m CPU of 5800m CPU, 1.5 GiB of 10.4 GiB` */
  readonly line: string;
  /** The pods that fit onto no node, by workload. */
  readonly unplaced: readonly { readonly name: string; readonly pods: number; readonly request: string }[];
}

type Role = 'app' | 'db';

interface Demand {
  readonly name: string;
  /** The kind of node that it prefers; it is placed on another one when those are full. */
  readonly role: Role;
  readonly cpu: number;
  readonly memory: number;
  readonly least: number;
  readonly most: number;
}

interface Room {
  readonly role: Role;
  cpu: number;
  memory: number;
  pods: number;
}

/**
 * Places the pods of these objects on the nodes of an environment, the largest first. Pods that the cluster itself runs
 * on its nodes are not counted. Undefined where the environment names no nodes.
 */
export function judgeNodes(
  { nodes }: Pick<Environment, 'nodes'>,
  manifests: readonly Manifest[],
): NodeFit | undefined {
  if (!nodes?.app && !nodes?.db) return undefined;
  const demands = listDemands(manifests, nodes.db === undefined ? 'app' : 'db');
  const place = (key: 'least' | 'most') => placePods(demands, listRooms(nodes), key);
  return {
    least: place('least'),
    most: demands.some(({ least, most }) => most > least) ? place('most') : undefined,
  };
}

function placePods(demands: readonly Demand[], rooms: Room[], key: 'least' | 'most'): Placement {
  const all = { cpu: sum(rooms, 'cpu'), memory: sum(rooms, 'memory') };
  const most = rooms.reduce((total, room) => total + room.pods, 0);
  const pods = demands
    .flatMap((demand) => Array.from({ length: demand[key] }, () => demand))
    .toSorted((one, other) => weigh(other, all) - weigh(one, all));
  const unplaced = new Map<Demand, number>();
  for (const pod of pods) {
    const fits = rooms.filter((room) => room.cpu >= pod.cpu && room.memory >= pod.memory && room.pods >= 1);
    const room = fits.find(({ role }) => role === pod.role) ?? fits[0];
    if (!room) unplaced.set(pod, (unplaced.get(pod) ?? 0) + 1);
    else {
      room.cpu -= pod.cpu;
      room.memory -= pod.memory;
      room.pods -= 1;
    }
  }
  const requested = { cpu: sum(pods, 'cpu'), memory: sum(pods, 'memory') };
  const amounts = (['cpu', 'memory'] as const).map(
    (resource) => `${toAmount(resource, requested[resource])} of ${toAmount(resource, all[resource])}`,
  );
  return {
    pods: pods.length,
    line: [`${pods.length} of ${most} pods`, ...amounts].join(', '),
    unplaced: [...unplaced].map(([{ name, cpu, memory }, count]) => ({
      name,
      pods: count,
      request: `${toAmount('cpu', cpu)} and ${toAmount('memory', memory)}`,
    })),
  };
}

/** The larger of its shares of all CPU and all memory. */
function weigh({ cpu, memory }: Demand, all: { readonly cpu: number; readonly memory: number }): number {
  return Math.max(cpu / all.cpu, memory / all.memory);
}

function listDemands(manifests: readonly Manifest[], stores: Role): readonly Demand[] {
  return manifests.flatMap((manifest) => {
    const pod = findPodSpec(manifest);
    if (!pod || manifest.kind === 'Job') return [];
    const { replicas = 1 } = manifest.spec as { readonly replicas?: number };
    const { least = replicas, most = least } = findScaling(manifests, manifest) ?? {};
    return [
      {
        name: manifest.metadata.name,
        role: manifest.kind === 'StatefulSet' ? stores : ('app' as const),
        cpu: toRequest(pod, 'cpu'),
        memory: toRequest(pod, 'memory'),
        least,
        most,
      },
    ];
  });
}

function findScaling(manifests: readonly Manifest[], { kind, metadata }: Manifest) {
  const scaler = manifests.find((each) => {
    const { scaleTargetRef: target } = (each.spec ?? {}) as {
      readonly scaleTargetRef?: { readonly kind: string; readonly name: string };
    };
    return each.kind === 'HorizontalPodAutoscaler' && target?.kind === kind && target.name === metadata.name;
  });
  if (!scaler) return undefined;
  const { minReplicas = 1, maxReplicas } = scaler.spec as {
    readonly minReplicas?: number;
    readonly maxReplicas: number;
  };
  return { least: minReplicas, most: maxReplicas };
}

/** A pod's request: the sum of its containers, or that of one init container if that is larger. */
function toRequest({ containers = [], initContainers = [] }: PodSpec, resource: 'cpu' | 'memory'): number {
  const requestOf = ({ resources }: ManifestContainer) =>
    parseQuantity(String(resources?.requests?.[resource] ?? '0'));
  const total = (list: readonly ManifestContainer[]) =>
    list.reduce((amount, each) => amount + requestOf(each), 0);
  const sidecars = total(initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always'));
  return Math.max(total(containers) + sidecars, ...initContainers.map(requestOf));
}

function listRooms(nodes: NonNullable<Environment['nodes']>): Room[] {
  return (['app', 'db'] as const).flatMap((role) => {
    const type = nodes[role];
    return type ? Array.from({ length: type.count }, () => ({ role, ...toAllocatable(type) })) : [];
  });
}

/**
 * What a node can allocate to pods, by the rules of EKS (amazon-eks-ami): reserved are 6 % of the first core, 1 % of the
 * second, 0.5 % of the next two and 0.25 % of each further one; 255 MiB, and 11 MiB for each pod that the node may run;
 * and 100 MiB below which pods are evicted.
 */
function toAllocatable({ cpu, memory, pods }: NodeType): Pick<Room, 'cpu' | 'memory' | 'pods'> {
  const shares = [0.06, 0.01, 0.005, 0.005];
  const reserved = Array.from({ length: Math.ceil(cpu) }, (_, at) => shares[at] ?? 0.0025);
  const mebibyte = 2 ** 20;
  return {
    cpu: cpu - reserved.reduce((total, share) => total + share, 0),
    memory: parseQuantity(memory) - (255 + 11 * pods + 100) * mebibyte,
    pods,
  };
}

function sum<Key extends 'cpu' | 'memory'>(list: readonly Readonly<Record<Key, number>>[], key: Key): number {
  return list.reduce((total, each) => total + each[key], 0);
}
