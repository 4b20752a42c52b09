import { abortable } from '../lib/abortable.ts';
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

/** Each kind that a snapshot holds, and how kubectl calls it. */
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

/** How kubectl calls each kind: with its group, so that no custom resource of the same name is asked for. */
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

/** What there is in the cluster, as it was at one time. */
export interface Snapshot {
  /** Milliseconds since the epoch, before it was asked for. */
  readonly time: number;
  /** All objects of a kind. */
  list<K extends ObjectKind>(kind: K): readonly Kinds[K][];
  /** The object of this name; undefined when there is none. */
  find<K extends ObjectKind>(kind: K, name: string, namespace?: string): Kinds[K] | undefined;
}

export interface Snapshots {
  /**
   * The state as it is now, or was `maxAge` milliseconds ago at most. Who asks at the same time gets the same answer.
   * @throws {ApiFailure} when the cluster does not answer; of one elsewhere, the {CommandFailure} of kubectl.
   */
  take(signal: AbortSignal, options?: { readonly maxAge?: number }): Promise<Snapshot>;
}

/** Put or about to be, and who waits for its answer. */
interface SharedRequest {
  readonly answer: Promise<Snapshot>;
  /** On the monotonic clock; undefined until it is put. */
  began?: number;
  waiting: number;
  readonly abort: AbortController;
}

export interface SnapshotOptions {
  /** Without it, all; with it, the right to read this namespace and the nodes is enough. */
  readonly namespace?: string;
  /** false: without the nodes, which belong to the whole cluster, and which not everybody may read. */
  readonly nodes?: boolean;
}

/** Snapshots of the cluster, each one run of kubectl. */
export function createSnapshots(kubectl: KubectlReader, options: SnapshotOptions = {}): Snapshots {
  return shareSnapshots((signal) => takeSnapshot(kubectl, options, signal));
}

/** Has those who ask at the same time share one question, which `take` puts. */
export function shareSnapshots(take: (signal: AbortSignal) => Promise<Snapshot>): Snapshots {
  /** Put, answered or not. */
  let last: SharedRequest | undefined;
  /** To be put when `last` is answered. */
  let next: SharedRequest | undefined;

  // An answer to a question of before may show what was before: a rollout that has just begun must not look finished.
  function findShared(maxAge: number): SharedRequest | undefined {
    const isYoung = last?.began !== undefined && performance.now() - last.began <= maxAge;
    const shared = isYoung ? last : next;
    return shared?.abort.signal.aborted ? undefined : shared;
  }

  function prepare(): SharedRequest {
    const abort = new AbortController();
    const before = last?.answer;
    const question: SharedRequest = { answer: answer(), waiting: 0, abort };
    next = question;
    return question;

    async function answer(): Promise<Snapshot> {
      // Who asks in the same turn can join; what the one before met is for those who asked it.
      await before?.catch(() => undefined);
      await Promise.resolve();
      last = question;
      if (next === question) next = undefined;
      try {
        question.began = performance.now();
        return await take(abort.signal);
      } catch (error) {
        if (last === question) last = undefined;
        throw error;
      }
    }
  }

  return {
    async take(signal, { maxAge = 0 } = {}) {
      signal.throwIfAborted();
      const question = findShared(maxAge) ?? prepare();
      question.waiting++;
      try {
        return await abortable(question.answer, signal);
      } finally {
        question.waiting--;
        // The program need not run on when nobody waits for its answer.
        if (signal.aborted && question.waiting === 0) question.abort.abort(signal.reason);
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
  // What has a kind's name has that kind's fields.
  const list = <K extends ObjectKind>(kind: K) =>
    objects.filter((object): object is AnyObject & Kinds[K] => object.kind === kind);
  return {
    time,
    list,
    find: (kind, name, namespace) =>
      list(kind).find(({ metadata }) => metadata.name === name && metadata.namespace === namespace),
  };
}
