import type { Condition, Metadata } from '../tools/kubernetes/objects.ts';
import type { Workload } from './pods.ts';
import type { Snapshot } from './snapshot.ts';

/** The status of a rollout, as the controller reports it. */
export interface Rollout {
  readonly metadata: Metadata;
  /** Whether the controller has observed the newest specification. */
  readonly isObserved: boolean;
  readonly wanted: number;
  /** Pods of the newest revision. */
  readonly updated: number;
  readonly ready: number;
  /** Pods of earlier revisions that are not terminating. */
  readonly old: number;
  readonly conditions: readonly Condition[];
}

/** The rollout of a Deployment, StatefulSet or DaemonSet; undefined when it does not exist. */
export function findRollout(
  snapshot: Snapshot,
  { kind, name, namespace }: Workload & { readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' },
): Rollout | undefined {
  return kind === 'DaemonSet'
    ? findDaemonSet(snapshot, name, namespace)
    : findReplicated(snapshot, kind, name, namespace);
}

function findReplicated(
  snapshot: Snapshot,
  kind: 'Deployment' | 'StatefulSet',
  name: string,
  namespace: string,
): Rollout | undefined {
  const found = snapshot.find(kind, name, namespace);
  if (!found) return undefined;
  const { metadata, spec, status } = found;
  const {
    replicas = 0,
    updatedReplicas = 0,
    readyReplicas = 0,
    availableReplicas = 0,
    conditions = [],
  } = status;
  return {
    metadata,
    isObserved: isObserved(metadata, status.observedGeneration),
    wanted: spec.replicas ?? 1,
    updated: updatedReplicas,
    ready: Math.min(readyReplicas, availableReplicas),
    old: Math.max(0, replicas - updatedReplicas),
    conditions,
  };
}

function findDaemonSet(snapshot: Snapshot, name: string, namespace: string): Rollout | undefined {
  const found = snapshot.find('DaemonSet', name, namespace);
  if (!found) return undefined;
  const { metadata, status } = found;
  const {
    desiredNumberScheduled = 0,
    updatedNumberScheduled = 0,
    numberReady = 0,
    numberAvailable = 0,
  } = status;
  return {
    metadata,
    isObserved: isObserved(metadata, status.observedGeneration),
    wanted: desiredNumberScheduled,
    updated: updatedNumberScheduled,
    ready: Math.min(numberReady, numberAvailable),
    old: 0,
    conditions: [],
  };
}

function isObserved({ generation = 0 }: Metadata, observed = 0): boolean {
  return observed >= generation;
}
