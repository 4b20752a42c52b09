import {
  findInterceptMark,
  type Intercept,
  isIntercepted,
  toAgentInstance,
  toAgentName,
} from '../diagnosis/intercept.ts';
import { listAddresses, listOwnAddresses } from '../diagnosis/running-image.ts';
import { type ServicePlace, takeServiceSnapshot, toDeploymentPath } from '../diagnosis/service-snapshot.ts';
import { findAgentPod, findService, toServicePath, waitForEndpoints } from '../intercept/service-route.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { instanceLabel, interceptAnnotation, restartedAnnotation } from '../lib/labels.ts';
import { findProcess } from '../lib/processes.ts';
import type { Nodes } from '../tools/docker/nodes.ts';
import type { ApiServer } from '../tools/kubernetes/api-server.ts';
import type { Service } from '../tools/kubernetes/objects.ts';

export interface InterceptDeps {
  readonly api: ApiServer;
  readonly nodes: Pick<Nodes, 'waitUntilUnrouted'>;
  readonly nodeNames: readonly string[];
  readonly place: ServicePlace;
  /** Milliseconds in which endpoints must follow the Service. */
  readonly endpointTimeout?: number;
}

const defaultEndpointTimeout = 10_000;

/** The Service of a deployed service. @throws {Failure} exit code 8 when it is not deployed. */
export async function getInterceptable({ api, place }: InterceptDeps, signal: AbortSignal): Promise<Service> {
  const service = await findService(api, place, signal);
  if (service) return service;
  throw new Failure(`${place.name} is not deployed`, {
    hint: `npm run up -- ${place.name}`,
    exitCode: exitCodes.workload,
  });
}

/** Whether the process that intercepts still runs. */
export async function isInterceptAlive({
  pid,
  started,
}: Pick<Intercept, 'pid' | 'started'>): Promise<boolean> {
  return (await findProcess(pid))?.started === started;
}

/**
 * Makes sure that this process may intercept the service, and resolves to its Service. What a killed run has left is given back first: its agent is to be
 * replaced, and requests must not go there meanwhile.
 * @throws {Failure} exit code 10 when another running process intercepts it, 8 when it is not deployed.
 */
export async function claimService(deps: InterceptDeps, signal: AbortSignal): Promise<Service> {
  const service = await getInterceptable(deps, signal);
  const mark = findInterceptMark(service);
  if (mark && (await isInterceptAlive(mark))) {
    const command = mark.command === undefined ? '' : ` (${mark.command})`;
    throw new Failure(`${deps.place.name} is intercepted by PID ${mark.pid}${command}`, {
      hint: `kill ${mark.pid}`,
      exitCode: exitCodes.locked,
    });
  }
  if (isIntercepted(service)) await routeToPods(deps, signal);
  return service;
}

/** The value by which the Service selects its own pods, also while it is intercepted. */
export function toOwnInstance(service: Service): string {
  const { name } = service.metadata;
  const current = service.spec.selector?.[instanceLabel];
  return findInterceptMark(service)?.instance ?? (isIntercepted(service) ? name : (current ?? name));
}

/**
 * Routes the Service to its agent, which must be connected, and notes the process that intercepts. Resolves when no node
 * routes new connections to the service's own pods.
 */
export async function routeToAgent(
  deps: InterceptDeps,
  mark: Omit<Intercept, 'instance'>,
  signal: AbortSignal,
): Promise<void> {
  const { api, place } = deps;
  const [service, own] = await Promise.all([
    getInterceptable(deps, signal),
    takeServiceSnapshot(api, place, signal),
  ]);
  const addresses = listOwnAddresses(own, place);
  const intercept: Intercept = { ...mark, instance: toOwnInstance(service) };
  await patchService(deps, JSON.stringify(intercept), toAgentInstance(place.name), signal);
  const isRouted = await waitForEndpoints(api, place, {
    isAgent: true,
    timeout: deps.endpointTimeout ?? defaultEndpointTimeout,
    signal,
  });
  if (!isRouted) {
    throw new Failure(`Service ${place.name} does not route to pod ${toAgentName(place.name)}`, {
      hint: `npm run kubectl -- -n ${place.namespace} describe service ${place.name}`,
      exitCode: exitCodes.workload,
    });
  }
  await waitUntilUnrouted(deps, addresses, signal);
}

/** Routes the Service to its own pods. Resolves when no node routes new connections to the agent. */
export async function routeToPods(deps: InterceptDeps, signal: AbortSignal): Promise<void> {
  const { api, place } = deps;
  const service = await findService(api, place, signal);
  if (!service) return;
  const agent = await findAgentPod(api, place, signal);
  await patchService(deps, null, toOwnInstance(service), signal);
  // Without a ready pod there is nothing to wait for: the Service is as `up` left it.
  await waitForEndpoints(api, place, {
    isAgent: false,
    timeout: deps.endpointTimeout ?? defaultEndpointTimeout,
    signal,
  });
  await waitUntilUnrouted(deps, agent ? listAddresses([agent]) : [], signal);
}

/**
 * Replaces the service's own pods by a rolling restart: callers keep connections to the old ones, which a Service does not
 * take away. New pods are ready before the old ones end, and nothing calls them while the service is intercepted.
 */
export async function restartOwnPods({ api, place }: InterceptDeps, signal: AbortSignal): Promise<void> {
  const annotations = { [restartedAnnotation]: new Date().toISOString() };
  await api.patch(toDeploymentPath(place), { spec: { template: { metadata: { annotations } } } }, signal);
}

async function patchService(
  { api, place }: InterceptDeps,
  annotation: string | null,
  instance: string,
  signal: AbortSignal,
): Promise<void> {
  const change = {
    metadata: { annotations: { [interceptAnnotation]: annotation } },
    spec: { selector: { [instanceLabel]: instance } },
  };
  await api.patch(toServicePath(place), change, signal);
}

async function waitUntilUnrouted(
  { nodes, nodeNames }: InterceptDeps,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    nodeNames.map((node) => nodes.waitUntilUnrouted(node, Promise.resolve(addresses), signal)),
  );
}
