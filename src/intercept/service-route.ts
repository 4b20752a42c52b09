import { toAgentName } from '../diagnosis/intercept.ts';
import type { ServicePlace } from '../diagnosis/service-snapshot.ts';
import { waitFor } from '../lib/wait.ts';
import { ApiFailure, type ApiReader } from '../tools/kubernetes/api-server.ts';
import type { EndpointSlice, Pod, Service } from '../tools/kubernetes/objects.ts';

interface List<T> {
  readonly items: readonly T[];
}

/** Path of a Service in the API. */
export function toServicePath({ namespace, name }: ServicePlace): string {
  return `/api/v1/namespaces/${namespace}/services/${name}`;
}

/** Path of the agent's pod in the API. */
export function toAgentPodPath({ namespace, name }: ServicePlace): string {
  return `/api/v1/namespaces/${namespace}/pods/${toAgentName(name)}`;
}

/** The Service; undefined when it does not exist. @throws {ApiFailure} */
export async function findService(
  api: ApiReader,
  place: ServicePlace,
  signal: AbortSignal,
): Promise<Service | undefined> {
  return orUndefined(api.get<Service>(toServicePath(place), signal));
}

/** The agent's pod; undefined when it does not exist. @throws {ApiFailure} */
export async function findAgentPod(
  api: ApiReader,
  place: ServicePlace,
  signal: AbortSignal,
): Promise<Pod | undefined> {
  return orUndefined(api.get<Pod>(toAgentPodPath(place), signal));
}

/** Values of `appProtocol` that begin as HTTP does: https://kubernetes.io/docs/concepts/services-networking/service/ */
const httpProtocols = ['http', 'grpc', 'kubernetes.io/h2c', 'kubernetes.io/ws'];

/** What callers speak to the service, if its port says so. */
export function toProtocol({ spec }: Service, port: number): 'http' | 'tcp' | 'any' {
  const { appProtocol } = spec.ports?.find((each) => each.port === port) ?? {};
  if (appProtocol === undefined) return 'any';
  return httpProtocols.includes(appProtocol) ? 'http' : 'tcp';
}

async function orUndefined<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 404) return undefined;
    throw error;
  }
}

/**
 * Waits until the ready endpoints of a Service are its agent's only, or its own pods' only. Resolves to false after the
 * timeout, as when there is no ready pod.
 */
export async function waitForEndpoints(
  api: ApiReader,
  { namespace, name }: ServicePlace,
  {
    isAgent,
    timeout,
    signal,
  }: { readonly isAgent: boolean; readonly timeout: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const query = new URLSearchParams({ labelSelector: `kubernetes.io/service-name=${name}` });
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?${query}`;
  const found = await waitFor(
    async () => {
      const { items } = await api.get<List<EndpointSlice>>(path, signal);
      const pods = items
        .flatMap(({ endpoints }) => endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .map(({ targetRef }) => targetRef?.name);
      const isThere = pods.length > 0 && pods.every((pod) => (pod === toAgentName(name)) === isAgent);
      return isThere || undefined;
    },
    { interval: 20, timeout, signal },
  );
  return found ?? false;
}
