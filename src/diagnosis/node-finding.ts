import type { Condition, Node, Pod } from '../tools/kubernetes/objects.ts';
import { type Finding, toKubectlLine } from './finding.ts';
import type { Snapshot } from './snapshot.ts';

interface Pressure {
  readonly type: string;
  readonly line: string;
  readonly next?: string;
}

/** Conditions of a node that report a problem when they are true. */
const pressures: readonly Pressure[] = [
  {
    type: 'DiskPressure',
    line: 'reports DiskPressure: the disk is full, pods are evicted',
    next: 'npm run doctor',
  },
  {
    type: 'MemoryPressure',
    line: 'reports MemoryPressure: memory is low, pods are evicted',
    next: 'npm run doctor',
  },
  { type: 'PIDPressure', line: 'reports PIDPressure: too many processes' },
  { type: 'NetworkUnavailable', line: 'reports NetworkUnavailable: no network' },
];

/** What is wrong with a node; undefined when it is ready and reports no pressure. */
export function judgeNode({ metadata: { name }, status: { conditions = [] } }: Node): Finding | undefined {
  const next = toKubectlLine(undefined, 'describe', 'node', name);
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready && ready.status !== 'True') {
    return { state: 'waiting', line: `node ${name} is not ready`, ...toEvidence(ready), next };
  }
  for (const pressure of pressures) {
    const met = conditions.find(({ type, status }) => type === pressure.type && status === 'True');
    if (!met) continue;
    return {
      state: 'waiting',
      line: `node ${name} ${pressure.line}`,
      ...toEvidence(met),
      next: pressure.next ?? next,
    };
  }
  return undefined;
}

/** What is wrong with the node of a pod; also undefined while the pod is not scheduled. */
export function judgeNodeOf(snapshot: Snapshot, { spec }: Pod): Finding | undefined {
  const node = spec.nodeName === undefined ? undefined : snapshot.find('Node', spec.nodeName);
  return node && judgeNode(node);
}

function toEvidence({ message }: Condition): Pick<Finding, 'evidence'> {
  return message ? { evidence: message } : {};
}
