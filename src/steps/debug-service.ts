import {
  type DebugMark,
  type DebugRolloutOptions,
  findDebugMark,
  toDebugPatches,
} from '../debug/debug-rollout.ts';
import { waitUntilReady } from '../diagnosis/ready.ts';
import { findDeployment, type ServicePlace, toDeploymentPath } from '../diagnosis/service-snapshot.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { debugAnnotation } from '../lib/labels.ts';
import { findProcess } from '../lib/processes.ts';
import type { Step } from '../plan/plan.ts';
import type { ApiServer } from '../tools/kubernetes/api-server.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';
import type { Deployment } from '../tools/kubernetes/objects.ts';

export interface DebugServiceDeps extends DebugRolloutOptions {
  readonly api: ApiServer;
  readonly kubectl: Kubectl;
  readonly snapshots: Snapshots;
  readonly place: ServicePlace;
}

/** Milliseconds without progress of the new pods until the wait gives up. */
const stallTimeout = 180_000;

/** A service's pods are replaced by ones that are prepared for a debugger; its Deployment notes by whom, and how it was. */
export function debugService(deps: DebugServiceDeps): Step {
  const { api, kubectl, snapshots, place } = deps;
  return {
    title: `debug ${place.name}`,
    async apply(run) {
      const deployment = await getDeployment(api, place, run.signal);
      const { change, undo } = toDebugPatches(deployment, deps);
      const own = await findProcess(process.pid);
      const mark: DebugMark = { pid: process.pid, started: own?.started ?? '', undo };
      const annotations = { [debugAnnotation]: JSON.stringify(mark) };
      await api.patch(toDeploymentPath(place), { metadata: { annotations }, ...change }, run.signal);
      const workload = { kind: 'Deployment', ...place } as const;
      await waitUntilReady(workload, { kubectl, snapshots, stallTimeout, interval: 300, run });
    },
  };
}

/** @throws {Failure} exit code 8 when the service is not deployed. */
export async function getDeployment(
  api: ApiServer,
  place: ServicePlace,
  signal: AbortSignal,
): Promise<Deployment> {
  const deployment = await findDeployment(api, place, signal);
  if (deployment) return deployment;
  throw new Failure(`Deployment ${place.name} does not exist`, {
    hint: `npm run up -- ${place.name}`,
    exitCode: exitCodes.workload,
  });
}

/** Takes the rollout of `debugService` back, if there is one. Its pods are replaced meanwhile: nobody waits for that. */
export async function endDebugging(api: ApiServer, place: ServicePlace, signal: AbortSignal): Promise<void> {
  const deployment = await findDeployment(api, place, signal);
  if (deployment?.metadata.annotations?.[debugAnnotation] === undefined) return;
  // Of an annotation that was damaged by hand, nothing can be taken back: `up --repair` replaces the Deployment.
  const undo = findDebugMark(deployment)?.undo ?? {};
  const annotations = { [debugAnnotation]: null };
  await api.patch(toDeploymentPath(place), { metadata: { annotations }, ...undo }, signal);
}

/** Whether the process that has rolled the Deployment out for a debugger still runs. */
export async function isDebugged(deployment: Deployment): Promise<boolean> {
  const mark = findDebugMark(deployment);
  return mark !== undefined && (await findProcess(mark.pid))?.started === mark.started;
}

export interface EndDebuggingDeps {
  readonly namespace: string;
  readonly openApi: () => Promise<ApiServer>;
  /** Takes rollouts also from programs that still run. */
  readonly all: boolean;
}

/** Rollouts for debuggers whose program was killed are taken back. */
export function endAbandonedDebugging({ namespace, openApi, all }: EndDebuggingDeps): Step {
  async function listAbandoned(api: ApiServer, signal: AbortSignal): Promise<readonly string[]> {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const { items } = await api.get<{ readonly items: readonly Deployment[] }>(path, signal);
    const marked = items.filter(({ metadata }) => metadata.annotations?.[debugAnnotation] !== undefined);
    const abandoned = await Promise.all(
      marked.map(async (each) => (!all && (await isDebugged(each)) ? [] : [each.metadata.name])),
    );
    return abandoned.flat();
  }

  return {
    title: 'debugged services',
    async isDone({ signal }) {
      return (await listAbandoned(await openApi(), signal)).length === 0 && 'none to take back';
    },
    async apply({ signal, report }) {
      const api = await openApi();
      for (const name of await listAbandoned(api, signal)) {
        report(`${name} runs without a debugger again`);
        await endDebugging(api, { namespace, name }, signal);
      }
    },
  };
}
