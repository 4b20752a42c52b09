import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntilReplaced } from '../cluster/ending.ts';
import type { Release, Releases } from '../cluster/releases.ts';
import { findPods } from '../diagnosis/pods.ts';
import { waitUntilReady } from '../diagnosis/ready.ts';
import type { Snapshot, Snapshots } from '../diagnosis/snapshot.ts';
import { judge } from '../diagnosis/verdict.ts';
import { workloadsOf } from '../diagnosis/workloads.ts';
import { hash, hashFolder } from '../lib/hash.ts';
import { inputsLabel } from '../lib/labels.ts';
import type { Run, Step } from '../plan/plan.ts';
import type { Toolchain } from '../tools/toolchain.ts';
import { endBackOff } from './end-back-off.ts';

/** All that a release is rendered from. */
export interface ReleaseSource {
  readonly checkout: string;
  readonly namespace: string;
  readonly release: string;
  /** A folder below helm/charts, or a published chart. */
  readonly chart: string | PublishedChart;
  /** Values files in their order, those of secrets included. */
  readonly valuesFiles: readonly string[];
  /** Apply it though nothing of it has changed, and run its Jobs again: in the cluster somebody may have changed things. */
  readonly repairs?: boolean;
  /** Values that only this run knows, over those of the files. */
  readonly values: () => Promise<RunValues>;
}

export interface DeployDeps extends ReleaseSource {
  readonly toolchain: Pick<Toolchain, 'helm' | 'kubectl'>;
  readonly snapshots: Snapshots;
  readonly releases: Releases;
}

/** A step that deploys, with what it deploys: `plan` renders the same. */
export interface DeployStep extends Step {
  readonly source: ReleaseSource;
}

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

/** Milliseconds that a workload has to become ready; what cannot heal ends the wait earlier. */
const readyTimeout = 180_000;

/** A chart of ours is deployed with the values as they are now, and all that it runs is ready. */
export function deployRelease(deps: DeployDeps): DeployStep {
  const { toolchain, snapshots, checkout, namespace, release, valuesFiles, repairs = false } = deps;
  const { helm, kubectl } = toolchain;
  const charts = join(checkout, 'helm/charts');
  const chart = toChart(deps);

  /** Of everything that the release is rendered from, so that an unchanged one is not touched. */
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

  /** Something else than the release runs: `reload` sets a Deployment's image, and its source may be taken back. */
  const isOverruled = (snapshot: Snapshot, { images = {} }: RunValues) =>
    workloadsOf(snapshot, release, namespace)
      .flatMap((workload) => findPods(snapshot, workload).current)
      .flatMap(({ spec }) => spec.containers)
      .some(({ name, image }) => images[name] !== undefined && images[name] !== image);

  /** A run that was killed leaves its release pending, and Helm then refuses every further change of it. */
  async function settle(found: Release | undefined, { signal, report }: Run): Promise<void> {
    if (!found?.status.startsWith('pending-')) return;
    report(`release ${release} was left ${found.status}: taking it back`);
    // Uninstalling leaves the claims of a StatefulSet, and so the data.
    if (found.revision === 1) await helm.uninstall(release, namespace, signal);
    else await helm.rollback(release, namespace, signal);
  }

  /** A Job that was done once does not look again, and Helm makes one that is missing anew. */
  async function removeJobs(snapshot: Snapshot, signal: AbortSignal): Promise<void> {
    const jobs = workloadsOf(snapshot, release, namespace).filter(({ kind }) => kind === 'Job');
    if (jobs.length === 0) return;
    const names = jobs.map(({ name }) => name);
    await kubectl.run(['delete', 'jobs', `--namespace=${namespace}`, '--ignore-not-found', ...names], signal);
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
      return !isOverruled(snapshot, values) && isReady(snapshot) && 'unchanged and ready';
    },

    async apply(run) {
      const [found, inputs, values, snapshot] = await Promise.all([
        findRelease(run.signal),
        hashInputs(),
        deps.values(),
        snapshots.take(run.signal),
      ]);
      const isCurrent = found?.status === 'deployed' && found.inputs === inputs;
      if (!isCurrent || repairs || isOverruled(snapshot, values)) {
        await settle(found, run);
        if (repairs) await removeJobs(snapshot, run.signal);
        run.report('rendering and applying its chart');
        const labels = { [inputsLabel]: inputs };
        const upgrade = { release, ...chart, namespace, valuesFiles, values, labels, replaces: repairs };
        await helm.upgrade(upgrade, run.signal);
      }
      run.report('waiting until it is ready');
      const deployed = await snapshots.take(run.signal);
      const workloads = workloadsOf(deployed, release, namespace);
      await Promise.all(workloads.map((workload) => endBackOff(deployed, workload, kubectl, run.signal)));
      await Promise.all(
        workloads.map(async (workload) => {
          await waitUntilReady(workload, { kubectl, snapshots, timeout: readyTimeout, interval: 400, run });
          await waitUntilReplaced(workload, snapshots, run);
        }),
      );
    },
  };
}

/** The chart as helm takes it. */
export function toChart({ checkout, chart }: Pick<ReleaseSource, 'checkout' | 'chart'>) {
  if (typeof chart === 'string') return { chart: join(checkout, 'helm/charts', chart) };
  const { name, url, version } = chart;
  return { chart: name, repository: { url, version } };
}
