import type * as apps from 'kubernetes-types/apps/v1.js';
import type * as batch from 'kubernetes-types/batch/v1.js';
import type * as core from 'kubernetes-types/core/v1.js';
import type * as discovery from 'kubernetes-types/discovery/v1.js';
import type * as meta from 'kubernetes-types/meta/v1.js';

/*
 * Objects as the API server returns them. Kubernetes' own types also describe what a client sends, where the server
 * fills in the rest; here the fields that it always sets are required.
 */

export type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** T with these fields always there. */
type With<T, K extends keyof T> = Omit<T, K> & { readonly [F in K]-?: NonNullable<T[F]> };

export type Metadata = With<DeepReadonly<meta.ObjectMeta>, 'name' | 'uid' | 'creationTimestamp'>;

/** An object with those of its fields `spec` and `status` that it always has. One of a list does not say its kind. */
export type Stored<T, K extends keyof T = never> = Omit<With<DeepReadonly<T>, K>, 'metadata' | 'kind'> & {
  readonly metadata: Metadata;
};

export type Node = Stored<core.Node, 'status'>;
export type Pod = Stored<core.Pod, 'spec' | 'status'>;
export type Deployment = Stored<apps.Deployment, 'spec' | 'status'>;
export type StatefulSet = Stored<apps.StatefulSet, 'spec' | 'status'>;
export type DaemonSet = Stored<apps.DaemonSet, 'status'>;
export type ReplicaSet = Stored<apps.ReplicaSet>;
export type Job = Stored<batch.Job, 'spec' | 'status'>;
export type Claim = Stored<core.PersistentVolumeClaim, 'spec' | 'status'>;
export type Service = Stored<core.Service, 'spec'>;

/** Where a Service routes to; its label `kubernetes.io/service-name` says which. Empty lists are null. */
export type EndpointSlice = Nullable<Stored<discovery.EndpointSlice>, 'ports' | 'endpoints'>;

/** Something that happened to an object; preserved for an hour. */
export type Event = Nullable<Stored<core.Event>, 'lastTimestamp' | 'eventTime'>;

/** T with fields that the server prints as null where they are empty. */
type Nullable<T, K extends keyof T> = Omit<T, K> & { readonly [F in K]?: T[F] | null };

export type Container = DeepReadonly<core.Container>;
export type ContainerStatus = DeepReadonly<core.ContainerStatus>;
export type Terminated = DeepReadonly<core.ContainerStateTerminated>;
export type Probe = DeepReadonly<core.Probe>;

/** What the conditions of all kinds have in common. */
export type Condition = Pick<
  DeepReadonly<core.PodCondition>,
  'type' | 'status' | 'reason' | 'message' | 'lastTransitionTime'
>;

export type Labels = Readonly<Record<string, string>>;

/** A number, or the name of one of the container's ports. */
export type PortReference = number | string;

/** Whether a pod passes its readiness probes. */
export function isPodReady({ status }: Pod): boolean {
  return status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** The service or data store that a pod belongs to, by the labels of our charts; undefined for any other pod. */
export function findComponent({ metadata: { labels = {} } }: Pick<Pod, 'metadata'>): string | undefined {
  return labels['app.kubernetes.io/part-of'] === 'wealist' ? labels['app.kubernetes.io/name'] : undefined;
}
