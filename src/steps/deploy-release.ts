import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Release, Releases } from '../cluster/releases.ts';
import { findPods } from '../diagnosis/pods.ts';
import type { Snapshot, Snapshots } from '../diagnosis/snapshot.ts';
import { workloadsOf } from '../diagnosis/workloads.ts';
import { Failure } from '../lib/failure.ts';
import { hash, hashFolder } from '../lib/hash.ts';
import { inputsLabel } from '../lib/labels.ts';
import type { Run, Step } from '../plan/plan.ts';
import type { ApiServer } from '../tools/kubernetes/api-server.ts';
import type { Toolchain } from '../tools/toolchain.ts';
import { throughOutages } from './through-outages.ts';
import { isReleaseReady, waitForWorkloads } from './wait-for-release.ts';

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

export interface DeployDeps extends ReleaseSource, Pick<Step, 'needs' | 'beginsAfterNeeds'> {
  readonly toolchain: Pick<Toolchain, 'helm' | 'kubectl'>;
  readonly snapshots: Snapshots;
  readonly releases: Releases;
  readonly openApi: () => Promise<ApiServer>;
  /** Whether the step only applies the chart, and a later one waits until its workloads are ready. */
  readonly onlyApplies?: boolean;
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

/** A chart is deployed with the current values, and its workloads are ready unless that is left to a later step. */
export function deployRelease(deps: DeployDeps): DeployStep {
  const { toolchain, snapshots, checkout, namespace, release, valuesFiles } = deps;
  const { openApi, repairs = false, onlyApplies = false, needs, beginsAfterNeeds } = deps;
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

  /** Whether the release has what its chart deploys, ready unless a later step waits for that. */
  const isThere = (snapshot: Snapshot) =>
    onlyApplies
      ? workloadsOf(snapshot, release, namespace).length > 0
      : isReleaseReady(snapshot, { release, namespace });

  return {
    title: release,
    source: deps,
    ...(needs && { needs }),
    ...(beginsAfterNeeds && { beginsAfterNeeds }),

    async isDone({ signal }) {
      if (repairs) return false;
      const [found, inputs] = await Promise.all([findRelease(signal, 1_000), hashInputs()]);
      if (found?.status !== 'deployed' || found.inputs !== inputs) return false;
      const [snapshot, values] = await Promise.all([
        snapshots.take(signal, { maxAge: 1_000 }),
        deps.values(),
      ]);
      if (isImageOverridden(snapshot, values) || !isThere(snapshot)) return false;
      return onlyApplies ? 'unchanged' : 'unchanged and ready';
    },

    async apply(run) {
      const work = async () => {
        await deploy(run);
        if (!onlyApplies) await waitForWorkloads({ kubectl, snapshots, release, namespace, openApi }, run);
      };
      await throughOutages(work, run, deps.outageInterval);
    },
  };
}

/** The chart in the form of helm's arguments. */
export function toChart({ checkout, chart }: Pick<ReleaseSource, 'checkout' | 'chart'>) {
  if (typeof chart === 'string') return { chart: join(checkout, 'helm/charts', chart) };
  const { name, url, version } = chart;
  return { chart: name, repository: { url, version } };
}
