import { toPartStatus } from '../cluster/part-status.ts';
import type { Workload } from '../cluster/pods.ts';
import type { Snapshot } from '../cluster/snapshot.ts';
import { workloadsOf } from '../cluster/workloads.ts';
import { type Environment, infrastructure } from '../config/schema.ts';
import { isTimeout, withDeadline } from '../lib/deadline.ts';
import { CommandFailure } from '../lib/failure.ts';
import { toHostOrigin, toOrigin } from '../plans/addresses.ts';
import { extras, hostsOfExtras, lackingOf, toExtraNames } from '../plans/extras.ts';
import { ingressNamespace, ingressReleases } from '../plans/ingress.ts';
import type { ClusterRecord } from '../state/cluster-record.ts';
import { type ClusterAccess, findClusterAccess } from './cluster-access.ts';
import type { App } from './command.ts';
import type { Part, StatusReport } from './status-report.ts';

/** Milliseconds for which an answer is waited for. */
const clusterPatience = 5_000;
const ingressPatience = 1_000;

/** Asks the cluster and the ingress at once; the engine only where the cluster does not answer. Changes nothing. */
export async function readStatus(app: App): Promise<StatusReport> {
  const access = await findClusterAccess(app);
  // First in the list, so that they are on their way while the environment is read, which takes as long.
  const [answer, ingress, environment] = await Promise.all([
    access && askCluster(access, app.signal),
    access && askIngress(access.record, app.signal),
    app.environment(),
  ]);
  const name = access?.record.name ?? environment.cluster.name;
  const common = { version: 1, environment: environment.name, namespace: environment.namespace } as const;

  const { snapshot, silence } = answer ?? {};
  if (!access || !snapshot) {
    const { findState } = await import('./silent-cluster.ts');
    const cluster = await findState(app, name, silence);
    const next = cluster.state === 'unknown' ? 'npm run doctor' : 'npm run up';
    return { ...common, ready: false, cluster: { name, nodes: [], ...cluster }, extras: [], parts: [], next };
  }

  const parts = listParts(snapshot, environment, access.record);
  const isReady = ingress?.answers === true && parts.every(({ state }) => state === 'ready');
  return {
    ...common,
    ready: isReady,
    cluster: { name, state: 'running', nodes: listNodes(snapshot) },
    ingress,
    extras: access.record.extras.map((name) => ({ name, lacking: lackingOf(name, access.record) })),
    parts,
    next: isReady ? undefined : (findNext(parts) ?? 'npm run up'),
  };
}

/** What cannot heal is the first to look at. */
function findNext(parts: readonly Part[]): string | undefined {
  const failed = parts.find(({ state }) => state === 'failed');
  return (failed ?? parts.find(({ state }) => state !== 'ready'))?.next;
}

interface ClusterAnswer {
  readonly snapshot?: Snapshot;
  /** Why there is none. */
  readonly silence?: string;
}

async function askCluster({ snapshots }: ClusterAccess, signal: AbortSignal): Promise<ClusterAnswer> {
  try {
    return {
      snapshot: await withDeadline({ timeout: clusterPatience, signal }, (limited) =>
        snapshots.take(limited),
      ),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (isTimeout(error)) return { silence: `no answer in ${clusterPatience / 1000} s` };
    if (error instanceof CommandFailure) return { silence: error.stderr.split('\n').at(-1) || error.message };
    throw error;
  }
}

async function askIngress(record: ClusterRecord, signal: AbortSignal): Promise<StatusReport['ingress']> {
  const url = `${toOrigin(record)}/`;
  try {
    const { status, body } = await withDeadline({ timeout: ingressPatience, signal }, (limited) =>
      fetch(url, { redirect: 'manual', signal: limited }),
    );
    await body?.cancel();
    return { url, answers: status < 500, status };
  } catch (error) {
    signal.throwIfAborted();
    return { url, answers: false, evidence: toReason(error) };
  }
}

/** Why there was no answer; fetch hides it in the cause. */
function toReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer in ${ingressPatience / 1000} s`;
  return error.cause instanceof Error ? error.cause.message || String(error.cause) : error.message;
}

function listNodes(snapshot: Snapshot): StatusReport['cluster']['nodes'] {
  return snapshot.list('Node').map(({ metadata, status }) => ({
    name: metadata.name,
    ready: status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    version: status.nodeInfo?.kubeletVersion,
  }));
}

function listParts(snapshot: Snapshot, environment: Environment, record: ClusterRecord): readonly Part[] {
  const { namespace, services } = environment;
  const needed = new Set(Object.values(services).flatMap(({ needs }) => needs));
  const { release } = ingressReleases[record.controller];
  const controllers = workloadsOf(snapshot, release, ingressNamespace);
  const jobs = workloadsOf(snapshot, 'wealist-infrastructure', namespace).filter(
    ({ kind }) => kind === 'Job',
  );
  const toPart = (workload: Workload, kind: Part['kind'], address?: string): Part => {
    const { created, ...status } = toPartStatus(snapshot, workload);
    const time = created === undefined ? undefined : new Date(created).toISOString();
    return { name: workload.name, kind, ...status, created: time, address };
  };

  const noController: Workload = { kind: 'Deployment', name: record.controller, namespace: ingressNamespace };
  return [
    ...(controllers.length === 0 ? [noController] : controllers).map((workload) =>
      toPart(workload, 'ingress'),
    ),
    ...infrastructure
      .filter((name) => needed.has(name))
      .map((name) =>
        toPart({ kind: 'StatefulSet', name, namespace }, 'infrastructure', `npm run forward -- ${name}`),
      ),
    // One that is complete has nothing to say any more.
    ...jobs.map((workload) => toPart(workload, 'job')).filter(({ state }) => state !== 'ready'),
    ...Object.entries(services).map(([name, { route }]) => {
      const path = route === undefined ? '/' : `/svc/${route}/`;
      return toPart({ kind: 'Deployment', name, namespace }, 'service', `${toOrigin(record)}${path}`);
    }),
    ...listExtraWorkloads(snapshot, record).map((workload) => {
      const host = hostsOfExtras(record).find(({ image }) => image === workload.name);
      return toPart(workload, 'extra', host && `${toHostOrigin(host.name, record)}/`);
    }),
  ];
}

/** What the extras run; where a release runs nothing, a workload of its name, which is absent. */
function listExtraWorkloads(snapshot: Snapshot, record: ClusterRecord): readonly Workload[] {
  const releases = toExtraNames(record).flatMap((name) => extras[name].releases);
  return releases.flatMap(({ release, namespace }) => {
    const found = workloadsOf(snapshot, release, namespace);
    return found.length > 0 ? found : [{ kind: 'Deployment', name: release, namespace } as const];
  });
}
