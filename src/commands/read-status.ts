import type { Part as ListedPart } from '../cluster/part.ts';
import { toPartStatus } from '../cluster/part-status.ts';
import type { Snapshot } from '../cluster/snapshot.ts';
import type { Environment } from '../config/schema.ts';
import { isTimeout, withDeadline } from '../lib/deadline.ts';
import { CommandFailure } from '../lib/failure.ts';
import { toHostOrigin, toOrigin } from '../plans/addresses.ts';
import { lackingOf } from '../plans/extras.ts';
import type { ClusterRecord } from '../state/cluster-record.ts';
import { type ClusterAccess, findClusterAccess } from './cluster-access.ts';
import type { App } from './command.ts';
import { listParts } from './list-parts.ts';
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
  const name = access?.record.name ?? environment.cluster?.name ?? environment.name;
  const common = { version: 1, environment: environment.name, namespace: environment.namespace } as const;

  const { snapshot, silence } = answer ?? {};
  if (!access || !snapshot) {
    const { findState } = await import('./silent-cluster.ts');
    const cluster = await findState(app, name, silence);
    const next = cluster.state === 'unknown' ? 'npm run doctor' : 'npm run up';
    return { ...common, ready: false, cluster: { name, nodes: [], ...cluster }, extras: [], parts: [], next };
  }

  const parts = toParts(snapshot, environment, access.record);
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

function toParts(snapshot: Snapshot, environment: Environment, record: ClusterRecord): readonly Part[] {
  return (
    listParts(snapshot, environment, record)
      .map((part): Part => {
        const { name, kind, workload } = part;
        const { created, ...status } = toPartStatus(snapshot, workload);
        const time = created === undefined ? undefined : new Date(created).toISOString();
        return { name, kind, ...status, created: time, address: toAddress(part, record) };
      })
      // A Job that is complete has nothing to say any more.
      .filter(({ kind, state }) => kind !== 'job' || state !== 'ready')
  );
}

function toAddress({ name, kind, path, host }: ListedPart, record: ClusterRecord): string | undefined {
  if (kind === 'infrastructure') return `npm run forward -- ${name}`;
  if (host !== undefined) return `${toHostOrigin(host, record)}/`;
  return path === undefined ? undefined : `${toOrigin(record)}${path.replace(/\/?$/, '/')}`;
}
