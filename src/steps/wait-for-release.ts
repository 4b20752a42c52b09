import { waitUntilTerminated } from '../cluster/terminating-pods.ts';
import { findPods } from '../diagnosis/pods.ts';
import { waitUntilReady } from '../diagnosis/ready.ts';
import type { Snapshot, Snapshots } from '../diagnosis/snapshot.ts';
import { judge } from '../diagnosis/verdict.ts';
import { workloadsOf } from '../diagnosis/workloads.ts';
import type { Run, Step } from '../plan/plan.ts';
import type { ApiServer } from '../tools/kubernetes/api-server.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';
import { whileAskingReadiness } from './ask-readiness.ts';
import { endBackOff } from './end-back-off.ts';
import { throughOutages } from './through-outages.ts';

export interface WaitForReleaseDeps {
  readonly openApi: () => Promise<ApiServer>;
  readonly kubectl: Kubectl;
  readonly snapshots: Snapshots;
  readonly namespace: string;
  readonly release: string;
}

/** Milliseconds without progress of a workload until the wait gives up. */
const stallTimeout = 180_000;

/** The workloads of a release that is deployed are ready. */
export function waitForRelease(deps: WaitForReleaseDeps): Step {
  return {
    title: readyTitle(deps.release),
    async isDone({ signal }) {
      return isReleaseReady(await deps.snapshots.take(signal, { maxAge: 1_000 }), deps) && 'ready';
    },
    apply: (run) => throughOutages(() => waitForWorkloads(deps, run), run),
  };
}

/** Title of the step that waits for a release. */
export function readyTitle(release: string): string {
  return `${release} ready`;
}

/** Whether a release has workloads, and all are ready. */
export function isReleaseReady(
  snapshot: Snapshot,
  { release, namespace }: Pick<WaitForReleaseDeps, 'release' | 'namespace'>,
): boolean {
  const workloads = workloadsOf(snapshot, release, namespace);
  return workloads.length > 0 && workloads.every((workload) => judge(snapshot, workload).state === 'ready');
}

/** Waits until all workloads of a release are ready and their old pods are gone. Ends when a step that it needs has failed. */
export async function waitForWorkloads(
  { kubectl, snapshots, namespace, release, openApi }: WaitForReleaseDeps,
  { needFailed, ...all }: Run,
): Promise<void> {
  const run = needFailed ? { ...all, signal: AbortSignal.any([all.signal, needFailed]) } : all;
  run.report('waiting until it is ready');
  const deployed = await snapshots.take(run.signal);
  const workloads = workloadsOf(deployed, release, namespace);
  await Promise.all(workloads.map((workload) => endBackOff(deployed, workload, kubectl, run.signal)));
  const listPods = async () => {
    const snapshot = await snapshots.take(run.signal, { maxAge: 1_000 });
    return workloads.flatMap((workload) => findPods(snapshot, workload).current);
  };
  await whileAskingReadiness(await openApi(), listPods, run.signal, () =>
    Promise.all(
      workloads.map(async (workload) => {
        await waitUntilReady(workload, { kubectl, snapshots, stallTimeout, interval: 400, run });
        await waitUntilTerminated(workload, snapshots, run);
      }),
    ),
  );
}
