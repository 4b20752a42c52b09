import type { Container, Deployment, Metadata, Pod } from '../tools/kubernetes/objects.ts';
import type { Snapshot } from './snapshot.ts';

export const workloadKinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'] as const;

/** A controller of pods. */
export interface Workload {
  readonly kind: (typeof workloadKinds)[number];
  readonly name: string;
  readonly namespace: string;
}

export interface WorkloadPods {
  /** Pods of the newest revision that are not terminating. */
  readonly current: readonly Pod[];
  /** Pods of earlier revisions that are not terminating. */
  readonly old: readonly Pod[];
  /** Pods of any revision that are being deleted. */
  readonly terminating: readonly Pod[];
}

const noPods: WorkloadPods = { current: [], old: [], terminating: [] };

/** The pods of a workload, by revision; empty when it does not exist. */
export function findPods(snapshot: Snapshot, { kind, name, namespace }: Workload): WorkloadPods {
  switch (kind) {
    case 'Deployment': {
      const deployment = snapshot.find('Deployment', name, namespace);
      return deployment ? findPodsOfDeployment(snapshot, deployment) : noPods;
    }
    case 'StatefulSet': {
      const set = snapshot.find('StatefulSet', name, namespace);
      const newest = set?.status.updateRevision;
      return sort(listOwned(snapshot, set), (pod) => toLabel(pod, 'controller-revision-hash') === newest);
    }
    case 'DaemonSet': {
      const set = snapshot.find('DaemonSet', name, namespace);
      const newest = set?.metadata.annotations?.['deprecated.daemonset.template.generation'];
      return sort(listOwned(snapshot, set), (pod) => toLabel(pod, 'pod-template-generation') === newest);
    }
    case 'Job':
      return sort(listOwned(snapshot, snapshot.find('Job', name, namespace)), () => true);
  }
}

function findPodsOfDeployment(snapshot: Snapshot, deployment: Deployment): WorkloadPods {
  const sets = snapshot.list('ReplicaSet').filter((set) => isOwnedBy(set, deployment));
  const newest = sets.find((set) => toRevision(set) === toRevision(deployment));
  const pods = sets.flatMap((set) => listOwned(snapshot, set));
  return sort(pods, (pod) => newest !== undefined && isOwnedBy(pod, newest));
}

function sort(pods: readonly Pod[], isCurrent: (pod: Pod) => boolean): WorkloadPods {
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return {
    current: staying.filter(isCurrent),
    old: staying.filter((pod) => !isCurrent(pod)),
    terminating: pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined),
  };
}

interface WithMetadata {
  readonly metadata: Metadata;
}

function listOwned(snapshot: Snapshot, owner: WithMetadata | undefined): readonly Pod[] {
  return owner ? snapshot.list('Pod').filter((pod) => isOwnedBy(pod, owner)) : [];
}

function isOwnedBy({ metadata }: WithMetadata, owner: WithMetadata): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) ?? false;
}

function toRevision({ metadata }: WithMetadata): string | undefined {
  return metadata.annotations?.['deployment.kubernetes.io/revision'];
}

function toLabel({ metadata }: Pod, name: string): string | undefined {
  return metadata.labels?.[name];
}

/** A container or init container in a pod's spec. */
export function findContainer({ spec }: Pod, name: string): Container | undefined {
  return [...(spec.initContainers ?? []), ...spec.containers].find((each) => each.name === name);
}

/** The ports that containers declare: `8080 (http)`. */
export function describePorts(containers: readonly Container[]): string {
  const ports = containers.flatMap((container) => container.ports ?? []);
  const all = ports.map(({ name, containerPort }) => `${containerPort}${name ? ` (${name})` : ''}`);
  return all.join(', ') || 'none';
}
