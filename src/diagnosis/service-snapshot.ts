import { ApiFailure, type ApiReader } from '../tools/kubernetes/api-server.ts';
import type { Deployment, EndpointSlice, Metadata, Pod, ReplicaSet } from '../tools/kubernetes/objects.ts';
import { createSnapshot, type Snapshot } from './snapshot.ts';

export interface ServicePlace {
  readonly namespace: string;
  /** Name of the service, its Deployment and its container. */
  readonly name: string;
}

interface List<T> {
  readonly items: readonly T[];
}

/** The path of a service's Deployment in the API. */
export function toDeploymentPath({ namespace, name }: ServicePlace): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
}

/** A service's Deployment; undefined when it does not exist. @throws {ApiFailure} when the cluster does not respond. */
export async function findDeployment(
  api: ApiReader,
  place: ServicePlace,
  signal: AbortSignal,
): Promise<Deployment | undefined> {
  try {
    return await api.get<Deployment>(toDeploymentPath(place), signal);
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 404) return undefined;
    throw error;
  }
}

/**
 * A snapshot of one service's Deployment, ReplicaSets, pods and EndpointSlices only, requested from the API server
 * directly: a snapshot of everything costs a kubectl process and a tenth of a second.
 */
export async function takeServiceSnapshot(
  api: ApiReader,
  place: ServicePlace,
  signal: AbortSignal,
): Promise<Snapshot> {
  const { namespace, name } = place;
  const time = Date.now();
  const list = async <T extends { readonly metadata: Metadata }>(
    group: string,
    kind: string,
    label: string,
  ) => {
    const path = `/${group}/namespaces/${namespace}/${kind.toLowerCase()}s`;
    const query = new URLSearchParams({ labelSelector: `${label}=${name}` });
    const { items } = await api.get<List<T>>(`${path}?${query}`, signal);
    // The items of a list do not carry their kind.
    return items.map((item) => ({ ...item, kind }));
  };
  const [deployment, ...lists] = await Promise.all([
    findDeployment(api, place, signal),
    list<ReplicaSet>('apis/apps/v1', 'ReplicaSet', 'app.kubernetes.io/name'),
    list<Pod>('api/v1', 'Pod', 'app.kubernetes.io/name'),
    list<EndpointSlice>('apis/discovery.k8s.io/v1', 'EndpointSlice', 'kubernetes.io/service-name'),
  ]);
  const own = deployment ? [{ ...deployment, kind: 'Deployment' }] : [];
  return createSnapshot(time, [...own, ...lists.flat()]);
}
