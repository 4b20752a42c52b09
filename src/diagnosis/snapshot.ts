import { shareAnswer } from '../lib/share-answer.ts';
import type { KubectlReader } from '../tools/kubernetes/kubectl.ts';
import type { Ingress, NetworkPolicy } from '../tools/kubernetes/network-objects.ts';
import type {
  Claim,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Event,
  Job,
  Metadata,
  Node,
  Pod,
  ReplicaSet,
  Service,
  StatefulSet,
} from '../tools/kubernetes/objects.ts';

/** The kinds that a snapshot holds, with their types. */
interface Kinds {
  readonly Node: Node;
  readonly Pod: Pod;
  readonly Deployment: Deployment;
  readonly StatefulSet: StatefulSet;
  readonly DaemonSet: DaemonSet;
  readonly ReplicaSet: ReplicaSet;
  readonly Job: Job;
  readonly PersistentVolumeClaim: Claim;
  readonly Service: Service;
  readonly EndpointSlice: EndpointSlice;
  readonly Ingress: Ingress;
  readonly NetworkPolicy: NetworkPolicy;
  readonly Event: Event;
}
export type ObjectKind = keyof Kinds;

/** kubectl's name of each kind, with its group, so that a custom resource of the same name is not meant. */
const resources: Readonly<Record<ObjectKind, string>> = {
  Node: 'nodes',
  Pod: 'pods',
  Deployment: 'deployments.apps',
  StatefulSet: 'statefulsets.apps',
  DaemonSet: 'daemonsets.apps',
  ReplicaSet: 'replicasets.apps',
  Job: 'jobs.batch',
  PersistentVolumeClaim: 'persistentvolumeclaims',
  Service: 'services',
  EndpointSlice: 'endpointslices.discovery.k8s.io',
  Ingress: 'ingresses.networking.k8s.io',
  NetworkPolicy: 'networkpolicies.networking.k8s.io',
  Event: 'events',
};

/** All objects of the cluster at one time. */
export interface Snapshot {
  /** Milliseconds since the epoch, immediately before the request. */
  readonly time: number;
  /** All objects of a kind. */
  list<K extends ObjectKind>(kind: K): readonly Kinds[K][];
  /** The object of this name; undefined when it does not exist. */
  find<K extends ObjectKind>(kind: K, name: string, namespace?: string): Kinds[K] | undefined;
}

export interface Snapshots {
  /**
   * The current state, at most `maxAge` milliseconds old. Callers at the same time share one request.
   * @throws {ApiFailure} when the cluster does not respond; for a remote one, the {CommandFailure} of kubectl.
   */
  take(signal: AbortSignal, options?: { readonly maxAge?: number }): Promise<Snapshot>;
}

export interface SnapshotOptions {
  /** All namespaces by default. With it, the permission to read this namespace and the nodes is enough. */
  readonly namespace?: string;
  /** false: without the nodes, which are cluster-wide, and which the user may not be permitted to read. */
  readonly nodes?: boolean;
}

/** Snapshots of the cluster, each one run of kubectl. */
export function createSnapshots(kubectl: KubectlReader, options: SnapshotOptions = {}): Snapshots {
  return shareSnapshots((signal) => takeSnapshot(kubectl, options, signal));
}

/** Snapshots whose callers share what `take` returns, as far as their `maxAge` allows. */
export function shareSnapshots(take: (signal: AbortSignal) => Promise<Snapshot>): Snapshots {
  const share = shareAnswer(take);
  return { take: (signal, { maxAge } = {}) => share(signal, maxAge) };
}

async function takeSnapshot(
  kubectl: KubectlReader,
  { namespace, nodes = true }: SnapshotOptions,
  signal: AbortSignal,
): Promise<Snapshot> {
  const where = namespace === undefined ? '--all-namespaces' : `--namespace=${namespace}`;
  const time = Date.now();
  const kinds = Object.entries(resources).flatMap(([kind, name]) => (nodes || kind !== 'Node' ? [name] : []));
  const { items } = await kubectl.getJson<{ readonly items: readonly AnyObject[] }>(
    [kinds.join(','), where],
    signal,
  );
  return createSnapshot(time, items);
}

export interface AnyObject {
  readonly kind: string;
  readonly metadata: Metadata;
}

/** A snapshot of these objects, each with its `kind`. */
export function createSnapshot(time: number, objects: readonly AnyObject[]): Snapshot {
  // An object with the name of a kind has the fields of that kind.
  const list = <K extends ObjectKind>(kind: K) =>
    objects.filter((object): object is AnyObject & Kinds[K] => object.kind === kind);
  return {
    time,
    list,
    find: (kind, name, namespace) =>
      list(kind).find(({ metadata }) => metadata.name === name && metadata.namespace === namespace),
  };
}
