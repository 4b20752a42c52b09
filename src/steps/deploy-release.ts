import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Release, Releases } from '../cluster/releases.ts';
import { waitUntilTerminated } from '../cluster/terminating-pods.ts';
import { findPods } from '../diagnosis/pods.ts';
import { waitUntilReady } from '../diagnosis/ready.ts';
import type { Snapshot, Snapshots } from '../diagnosis/snapshot.ts';
import { judge } from '../diagnosis/verdict.ts';
import { workloadsOf } from '../diagnosis/workloads.ts';
import { CommandFailure, Failure } from '../lib/failure.ts';
import { hash, hashFolder } from '../lib/hash.ts';
import { inputsLabel } from '../lib/labels.ts';
import type { Run, Step } from '../plan/plan.ts';
import { OutageFailure } from '../tools/helm.ts';
import { isRestarting } from '../tools/kubernetes/api-failures.ts';
import { ApiFailure } from '../tools/kubernetes/api-server.ts';
import type { Toolchain } from '../tools/toolchain.ts';
import { endBackOff } from './end-back-off.ts';

/** All that a release is rendered from. */
export interface ReleaseSource {
  readonly checkout: string;
  readonly namespace: string;
  readonly release: string;
  /** Name of a folder in helm/charts, or a published chart. */
  readonly chart: string | PublishedChart;
  /** Values files in order, those of secrets included. */
  readonly valuesFiles: readonly string[];
  /** Applies the release although it is unchanged, and runs its Jobs again, to undo manual changes in the cluster. */
  readonly repairs?: boolean;
  /** Values that only this run knows; they override those of the files. */
  readonly values: () => Promise<RunValues>;
}

export interface DeployDeps extends ReleaseSource {
  readonly toolchain: Pick<Toolchain, 'helm' | 'kubectl'>;
  readonly snapshots: Snapshots;
  readonly releases: Releases;
  /** Milliseconds between two attempts while the API server restarts. */
  readonly outageInterval?: number;
}

/** A step that deploys a release, and holds what it deploys so that `plan` can render it. */
export interface DeployStep extends Step {
  readonly source: ReleaseSource;
}

/** Whether a step deploys a release. */
export function isDeployStep(step: Step): step is DeployStep {
  return 'source' in step;
}

export interface RunValues {
  /** Image references by the names of the containers that run them. */
  readonly images?: Readonly<Record<string, string>>;
}

export interface PublishedChart {
  readonly name: string;
  readonly url: string;
  readonly version: string;
}

/** Milliseconds without progress of a workload until the wait gives up. */
const stallTimeout = 180_000;

/** Milliseconds for which a restart of the API server is waited out. */
const outageTimeout = 60_000;

/**
 * What is done before an upgrade, by the status of the release's newest revision. Helm's statuses are those of
 * `pkg/release/status.go`; it upgrades only from those with `none`. Uninstalling preserves the volume claims of a
 * StatefulSet, and so the data.
 */
const settlements: Readonly<Record<string, 'none' | 'rollback' | 'uninstall'>> = {
  deployed: 'none',
  failed: 'none',
  superseded: 'none',
  // A run was killed in an upgrade or in the rollback of one: there is a previous revision.
  'pending-upgrade': 'rollback',
  'pending-rollback': 'rollback',
  // A run was killed in the first installation, or in the one after an uninstallation that kept its history.
  'pending-install': 'uninstall',
  // A run was killed in the uninstallation, which can be repeated.
  uninstalling: 'uninstall',
  // Only the history is left (`helm uninstall --keep-history`). Helm installs over it, but not reliably from 10 revisions on.
  uninstalled: 'uninstall',
  unknown: 'uninstall',
};

function toSettlement(status: string) {
  return settlements[status] ?? 'uninstall';
}

/** A chart is deployed with the current values, and its workloads are ready. */
export function deployRelease(deps: DeployDeps): DeployStep {
  const { toolchain, snapshots, checkout, namespace, release, valuesFiles, repairs = false } = deps;
  const { helm, kubectl } = toolchain;
  const charts = join(checkout, 'helm/charts');
  const chart = toChart(deps);

  /** The hash of everything that the release is rendered from: an unchanged release is skipped. */
  async function hashInputs(): Promise<string> {
    const [own, common, values, ...files] = await Promise.all([
      typeof deps.chart === 'string' ? hashFolder(chart.chart) : chart,
      hashFolder(join(charts, 'wealist-common')),
      deps.values(),
      ...valuesFiles.map((file) => readFile(file, 'utf8')),
    ]);
    return hash({ own, common, values, files });
  }

  const findRelease = async (signal: AbortSignal, maxAge = 0) =>
    (await deps.releases(signal, maxAge)).find(
      ({ name, namespace: where }) => name === release && where === namespace,
    );

  const isReady = (snapshot: Snapshot) => {
    const workloads = workloadsOf(snapshot, release, namespace);
    return workloads.length > 0 && workloads.every((workload) => judge(snapshot, workload).state === 'ready');
  };

  /** Whether another image runs than the release names: `reload` sets it, and the source may be changed back later. */
  const isImageOverridden = (snapshot: Snapshot, { images = {} }: RunValues) =>
    workloadsOf(snapshot, release, namespace)
      .flatMap((workload) => findPods(snapshot, workload).current)
      .flatMap(({ spec }) => spec.containers)
      .some(({ name, image }) => images[name] !== undefined && images[name] !== image);

  /** Brings a release in which Helm refuses an upgrade into a state in which it does not. */
  async function settle(found: Release | undefined, { signal, report }: Run): Promise<void> {
    const settlement = found && toSettlement(found.status);
    if (found === undefined || settlement === 'none') return;
    if (settlement === 'rollback') {
      report(`release ${release} was left ${found.status}: rolling it back`);
      try {
        await helm.rollback(release, namespace, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Failure)) throw error;
        // A rollback that began leaves the release failed, which is enough; without the previous revision none begins.
        const current = await findRelease(signal);
        if (current === undefined || toSettlement(current.status) === 'none') return;
      }
    }
    report(`release ${release} was left ${found.status}: uninstalling it`);
    await helm.uninstall(release, namespace, signal);
  }

  /** A completed Job does not run again; Helm creates a deleted one again. */
  async function removeJobs(snapshot: Snapshot, signal: AbortSignal): Promise<void> {
    const jobs = workloadsOf(snapshot, release, namespace).filter(({ kind }) => kind === 'Job');
    if (jobs.length === 0) return;
    const names = jobs.map(({ name }) => name);
    await kubectl.run(['delete', 'jobs', `--namespace=${namespace}`, '--ignore-not-found', ...names], signal);
  }

  /** Deploys the chart unless it is deployed as it is. */
  async function deploy(run: Run): Promise<void> {
    const [found, inputs, values, snapshot] = await Promise.all([
      findRelease(run.signal),
      hashInputs(),
      deps.values(),
      snapshots.take(run.signal),
    ]);
    const isCurrent = found?.status === 'deployed' && found.inputs === inputs;
    // As when an earlier step has deleted the Deployment.
    const isGone = workloadsOf(snapshot, release, namespace).length === 0;
    if (isCurrent && !isGone && !repairs && !isImageOverridden(snapshot, values)) return;
    await settle(found, run);
    if (repairs) await removeJobs(snapshot, run.signal);
    run.report('rendering and applying its chart');
    const labels = { [inputsLabel]: inputs };
    const upgrade = { release, ...chart, namespace, valuesFiles, values, labels, replaces: repairs };
    await helm.upgrade(upgrade, run.signal);
  }

  async function waitForWorkloads(run: Run): Promise<void> {
    run.report('waiting until it is ready');
    const deployed = await snapshots.take(run.signal);
    const workloads = workloadsOf(deployed, release, namespace);
    await Promise.all(workloads.map((workload) => endBackOff(deployed, workload, kubectl, run.signal)));
    await Promise.all(
      workloads.map(async (workload) => {
        await waitUntilReady(workload, { kubectl, snapshots, stallTimeout, interval: 400, run });
        await waitUntilTerminated(workload, snapshots, run);
      }),
    );
  }

  return {
    title: release,
    source: deps,

    async isDone({ signal }) {
      if (repairs) return false;
      const [found, inputs] = await Promise.all([findRelease(signal, 1_000), hashInputs()]);
      if (found?.status !== 'deployed' || found.inputs !== inputs) return false;
      const [snapshot, values] = await Promise.all([
        snapshots.take(signal, { maxAge: 1_000 }),
        deps.values(),
      ]);
      return !isImageOverridden(snapshot, values) && isReady(snapshot) && 'unchanged and ready';
    },

    async apply(run) {
      const work = async () => {
        await deploy(run);
        await waitForWorkloads(run);
      };
      await throughOutages(work, run, deps.outageInterval);
    },
  };
}

/**
 * Repeats `work` while the API server, or a webhook that it asks, is gone, as during a restart. What helm left half done is
 * settled by the next attempt.
 */
async function throughOutages(work: () => Promise<void>, run: Run, interval = 1_000): Promise<void> {
  let since: number | undefined;
  for (;;) {
    const begun = performance.now();
    try {
      return await work();
    } catch (error) {
      run.signal.throwIfAborted();
      const failed = performance.now();
      // What had worked for so long before it failed has met another outage.
      if (since === undefined || failed - begun > outageTimeout) since = failed;
      if (!isOutage(error) || failed - since >= outageTimeout) throw error;
      run.report('the cluster does not respond');
      await sleep(interval, undefined, { signal: run.signal });
    }
  }
}

function isOutage(error: unknown): boolean {
  if (error instanceof ApiFailure) return error.isRestarting;
  return error instanceof OutageFailure || (error instanceof CommandFailure && isRestarting(error.stderr));
}

/** The chart in the form of helm's arguments. */
export function toChart({ checkout, chart }: Pick<ReleaseSource, 'checkout' | 'chart'>) {
  if (typeof chart === 'string') return { chart: join(checkout, 'helm/charts', chart) };
  const { name, url, version } = chart;
  return { chart: name, repository: { url, version } };
}
