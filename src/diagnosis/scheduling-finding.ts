import { toAmount } from '../lib/quantity.ts';
import type { Pod } from '../tools/kubernetes/objects.ts';
import { type Finding, toKubectlLine } from './finding.ts';
import { listNodeLoads, toRequest } from './node-load.ts';
import type { Snapshot } from './snapshot.ts';

/** Milliseconds in which terminating pods of other rollouts may release enough resources. */
const timeout = 15_000;

/** How many of the largest consumers are named. */
const consumersShown = 3;

/** Why a pod is not scheduled; undefined when it is. */
export function judgeScheduling(snapshot: Snapshot, pod: Pod): Finding | undefined {
  if (pod.spec.nodeName !== undefined) return undefined;
  const condition = pod.status.conditions?.find(({ type }) => type === 'PodScheduled');
  if (condition?.reason !== 'Unschedulable') return { state: 'waiting', line: 'waiting for a node' };
  const message = condition.message ?? '';
  const next = toKubectlLine(undefined, 'describe', 'nodes');
  // The scheduler's remarks on preemption do not help the user.
  const evidence = message.replace(/ (no new claims to deallocate|preemption:).*$/, '');

  const [, resource] = /Insufficient ([\w./-]+?)[,.]?(?:\s|$)/.exec(message) ?? [];
  const shortage = resource === undefined ? undefined : findShortage(snapshot, pod, resource);
  if (shortage) {
    const since = Date.parse(condition.lastTransitionTime ?? '');
    const isLasting = shortage.neverFits || snapshot.time - since >= timeout;
    return {
      state: isLasting ? 'failed' : 'waiting',
      line: shortage.line,
      evidence: shortage.evidence,
      next,
    };
  }
  if (/didn't match Pod's node affinity|had untolerated taint \{(?!node\.kubernetes\.io\/)/.test(message)) {
    return {
      state: 'failed',
      line: 'no node matches its node selector, affinity or tolerations',
      evidence,
      next,
    };
  }
  const [, taint] = /had untolerated taint(?:\(s\))? \{node\.kubernetes\.io\/([\w-]+)/.exec(message) ?? [];
  const line = (taint && taints[taint]) ?? 'waiting for a node';
  return { state: 'waiting', line, evidence, next };
}

/** Taints that Kubernetes itself puts on nodes, and later removes. */
const taints: Readonly<Record<string, string>> = {
  'disk-pressure': 'no schedulable node: disk pressure',
  'memory-pressure': 'no schedulable node: memory pressure',
  'not-ready': 'no node is ready',
  unreachable: 'no node is ready',
  unschedulable: 'no schedulable node: the node is cordoned',
};

interface Shortage {
  readonly line: string;
  readonly evidence: string;
  /** Whether the pod would not fit on an empty node either. */
  readonly neverFits: boolean;
}

function findShortage(snapshot: Snapshot, pod: Pod, resource: string): Shortage | undefined {
  const wanted = toRequest(pod.spec, resource);
  const nodes = listNodeLoads(snapshot, resource);
  const [best] = nodes;
  if (!best) return undefined;
  const neverFits = nodes.every(({ allocatable }) => wanted > allocatable);
  const largest = best.consumers
    .slice(0, consumersShown)
    .map(({ name, amount }) => `${name} ${toAmount(resource, amount)}`);
  return {
    line: `insufficient ${resource}: requests ${toAmount(resource, wanted)}, ${toAmount(resource, best.free)} of ${toAmount(resource, best.allocatable)} free`,
    evidence: neverFits
      ? `no node is large enough; the largest is ${best.name}`
      : `largest requests on node ${best.name}: ${largest.join(', ')}`,
    neverFits,
  };
}
