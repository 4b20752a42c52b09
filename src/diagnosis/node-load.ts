import { parseQuantity } from '../lib/quantity.ts';
import type { Node, Pod } from '../tools/kubernetes/objects.ts';
import type { Snapshot } from './snapshot.ts';

/** How much of a resource a node has for pods; in cores, bytes or pieces. */
export interface NodeLoad {
  readonly name: string;
  readonly allocatable: number;
  readonly free: number;
  /** Its pods with what they request, the largest first. */
  readonly consumers: readonly { readonly name: string; readonly amount: number }[];
}

/** All nodes, the one with the most room first. */
export function listNodeLoads(snapshot: Snapshot, resource: string): readonly NodeLoad[] {
  return snapshot
    .list('Node')
    .map((node) => toLoad(snapshot, node, resource))
    .toSorted((one, other) => other.free - one.free);
}

function toLoad(snapshot: Snapshot, { metadata: { name }, status }: Node, resource: string): NodeLoad {
  const allocatable = parseQuantity(status.allocatable?.[resource] ?? '0');
  const consumers = snapshot
    .list('Pod')
    .filter(({ spec, status: { phase } }) => {
      return spec.nodeName === name && phase !== 'Succeeded' && phase !== 'Failed';
    })
    .map(({ metadata, spec }) => ({ name: metadata.name, amount: toRequest(spec, resource) }))
    .toSorted((one, other) => other.amount - one.amount);
  const taken = consumers.reduce((sum, { amount }) => sum + amount, 0);
  return { name, allocatable, free: Math.max(0, allocatable - taken), consumers };
}

/** The request of a pod: the sum of its containers, or that of one init container if it is larger. */
export function toRequest(
  spec: Pick<Pod['spec'], 'containers' | 'initContainers'>,
  resource: string,
): number {
  if (resource === 'pods') return 1;
  const toNumber = ({ resources }: Pod['spec']['containers'][number]) =>
    parseQuantity(resources?.requests?.[resource] ?? '0');
  const sum = (numbers: readonly number[]) => numbers.reduce((one, other) => one + other, 0);
  const init = spec.initContainers ?? [];
  const sidecars = sum(init.filter(({ restartPolicy }) => restartPolicy === 'Always').map(toNumber));
  return Math.max(sum(spec.containers.map(toNumber)) + sidecars, ...init.map(toNumber));
}
