import type { Digest } from '../lib/oci.ts';
import { isPodReady, type Pod, type ReplicaSet } from '../tools/kubernetes/objects.ts';
import { toAgentName } from './intercept.ts';
import { findLiveFiles } from './live-files.ts';
import { findPods } from './pods.ts';
import { findRollout } from './rollout.ts';
import type { ServicePlace } from './service-snapshot.ts';
import type { Snapshot } from './snapshot.ts';

/** The pods that serve a service. */
export interface Running {
  /** All pods are of the newest revision and ready, and the Service routes to them only, or is intercepted. */
  readonly isServing: boolean;
  /** Image IDs of its pods, as the node reports them. */
  readonly imageIds: readonly string[];
  /** Addresses of its pods. */
  readonly addresses: readonly string[];
  /** Whether a pod runs live files, which are not those of its image. */
  readonly isLive: boolean;
}

/** Terminating pods are left out: they get no new connections. */
export function findRunning(snapshot: Snapshot, { namespace, name }: ServicePlace): Running {
  const workload = { kind: 'Deployment', name, namespace } as const;
  const rollout = findRollout(snapshot, workload);
  const { current } = findPods(snapshot, workload);
  const names = new Set([...current.map(({ metadata }) => metadata.name), toAgentName(name)]);
  const slices = snapshot.list('EndpointSlice');
  const endpoints = slices
    .flatMap((slice) => slice.endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .map(({ targetRef }) => targetRef?.name ?? '');
  const isComplete =
    rollout?.isObserved === true &&
    rollout.updated >= rollout.wanted &&
    rollout.ready >= rollout.wanted &&
    rollout.old === 0;
  const statuses = current.flatMap(({ status }) => status.containerStatuses ?? []);
  return {
    isServing:
      isComplete &&
      current.every(isPodReady) &&
      endpoints.every((endpoint) => names.has(endpoint)) &&
      // Without an endpoint the Service routes to no pod; a workload without a Service needs none.
      (slices.length === 0 || rollout.wanted === 0 || endpoints.length > 0),
    imageIds: statuses.filter((status) => status.name === name).map(({ imageID }) => imageID),
    addresses: listAddresses(current),
    isLive: current.some((pod) => findLiveFiles(pod, name) !== undefined),
  };
}

/** Addresses of a service's pods, terminating ones included; not that of an agent which intercepts it. */
export function listOwnAddresses(snapshot: Snapshot, { name }: ServicePlace): readonly string[] {
  return listAddresses(snapshot.list('Pod').filter(({ metadata }) => metadata.name !== toAgentName(name)));
}

/** IP addresses of the pods that have one. */
export function listAddresses(pods: readonly Pod[]): readonly string[] {
  return pods.flatMap(({ status }) => status.podIP ?? []);
}

/** Whether all of a service's pods are serving, run this image, and have no live files. */
export function runsImage({ isServing, imageIds, isLive }: Running, wanted: Digest): boolean {
  return isServing && !isLive && imageIds.length > 0 && imageIds.every((id) => id.endsWith(wanted));
}

/** Revisions whose images stay on the nodes: the current one and the two previous ones. */
const retainedRevisions = 3;

/** References of the images of a service's newest revisions, and of all its pods. */
export function listRetainedImages(snapshot: Snapshot, { name }: ServicePlace): ReadonlySet<string> {
  const toRevision = ({ metadata }: ReplicaSet) =>
    Number(metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
  const newest = snapshot
    .list('ReplicaSet')
    .toSorted((one, other) => toRevision(other) - toRevision(one))
    .slice(0, retainedRevisions)
    .flatMap(({ spec }) => spec?.template?.spec?.containers ?? []);
  const running = snapshot.list('Pod').flatMap(({ spec }) => spec.containers);
  const own = [...newest, ...running].filter((container) => container.name === name);
  return new Set(own.flatMap(({ image }) => image ?? []));
}
