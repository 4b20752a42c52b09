import { untilAborted } from '../lib/until-aborted.ts';
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

/** A request for a snapshot, with the number of callers that wait for it. */
interface SharedRequest {
  readonly snapshot: Promise<Snapshot>;
  /** Start of the request on the monotonic clock; undefined until it is sent. */
  began?: number;
  waiting: number;
  readonly abort: AbortController;
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

/** Lets callers at the same time share one request, which `take` sends. */
export function shareSnapshots(take: (signal: AbortSignal) => Promise<Snapshot>): Snapshots {
  /** The last request that was sent. */
  let last: SharedRequest | undefined;
  /** The request that is sent when `last` has completed. */
  let next: SharedRequest | undefined;

  // A request sent earlier may show an earlier state: a rollout that has just begun must not look finished.
  function findShared(maxAge: number): SharedRequest | undefined {
    const isYoung = last?.began !== undefined && performance.now() - last.began <= maxAge;
    const shared = isYoung ? last : next;
    return shared?.abort.signal.aborted ? undefined : shared;
  }

  function prepare(): SharedRequest {
    const abort = new AbortController();
    const previous = last?.snapshot;
    const request: SharedRequest = { snapshot: send(), waiting: 0, abort };
    next = request;
    return request;

    async function send(): Promise<Snapshot> {
      // Callers of the same turn can join. The error of the previous request is for its own callers.
      await previous?.catch(() => undefined);
      await Promise.resolve();
      last = request;
      if (next === request) next = undefined;
      try {
        request.began = performance.now();
        return await take(abort.signal);
      } catch (error) {
        if (last === request) last = undefined;
        throw error;
      }
    }
  }

  return {
    async take(signal, { maxAge = 0 } = {}) {
      signal.throwIfAborted();
      const request = findShared(maxAge) ?? prepare();
      request.waiting++;
      try {
        return await untilAborted(request.snapshot, signal);
      } finally {
        request.waiting--;
        // Stop kubectl when no caller waits for the result any more.
        if (signal.aborted && request.waiting === 0) request.abort.abort(signal.reason);
      }
    },
  };
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
