import { toAgentName } from '../diagnosis/intercept.ts';
import { findDeployment } from '../diagnosis/service-snapshot.ts';
import { listAgentPaths, toAgentObjects } from '../intercept/agent-objects.ts';
import { findAgentPod, toAgentPodPath } from '../intercept/service-route.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { waitFor } from '../lib/wait.ts';
import type { Step } from '../plan/plan.ts';
import { getInterceptable, type InterceptDeps, toOwnInstance } from './intercept-service.ts';

export interface AgentDeps extends InterceptDeps {
  /** Port of the service. */
  readonly port: number;
  /** Reference of an image with Node.js that is on every node. */
  readonly findImage: () => Promise<string>;
  /** Text of `intercept/agent.js`. */
  readonly program: string;
}

/** Milliseconds in which the agent must run. */
const agentTimeout = 60_000;

/** A service's agent runs, in place of one that a killed run has left. The Service still routes to its own pods. */
export function startAgent(deps: AgentDeps): Step {
  return {
    title: `agent of ${deps.place.name}`,
    isDone: async () => false,
    async apply({ signal }) {
      await createAgent(deps, signal);
    },
  };
}

async function createAgent(deps: AgentDeps, signal: AbortSignal): Promise<void> {
  const { api, place } = deps;
  const [service, deployment] = await Promise.all([
    getInterceptable(deps, signal),
    findDeployment(api, place, signal),
  ]);
  if (!deployment) {
    throw new Failure(`Deployment ${place.name} does not exist`, {
      hint: `npm run up -- ${place.name}`,
      exitCode: exitCodes.workload,
    });
  }
  await removeAgentPod(deps, signal);
  const ownInstance = toOwnInstance(service);
  const image = await deps.findImage();
  for (const { collection, object } of toAgentObjects({ ...deps, image, deployment, ownInstance })) {
    await api.create(collection, object, signal);
  }
  const isRunning = await waitFor(
    async () => (await findAgentPod(api, place, signal))?.status.containerStatuses?.[0]?.started || undefined,
    { interval: 50, timeout: agentTimeout, signal },
  );
  if (isRunning) return;
  throw new Failure(`pod ${toAgentName(place.name)} did not start in ${agentTimeout / 1000} s`, {
    hint: `npm run kubectl -- -n ${place.namespace} describe pod ${toAgentName(place.name)}`,
    exitCode: exitCodes.workload,
  });
}

/** Removes the agent's pod and what belongs to it. */
export async function removeAgent({ api, place }: InterceptDeps, signal: AbortSignal): Promise<void> {
  await Promise.all(listAgentPaths(place).map((path) => api.remove(path, signal)));
}

async function removeAgentPod({ api, place }: InterceptDeps, signal: AbortSignal): Promise<void> {
  await api.remove(`${toAgentPodPath(place)}?gracePeriodSeconds=1`, signal);
  await waitFor(async () => ((await findAgentPod(api, place, signal)) ? undefined : true), {
    interval: 50,
    timeout: agentTimeout,
    signal,
  });
}
