import type { App } from '../../../cli/command.ts';
import { findPolicyRecord, type PolicyState, toPolicyState } from '../../../cluster/network-policies.ts';
import type { Environment } from '../../../config/schema.ts';
import type { Component as ListedPart } from '../../../diagnosis/component.ts';
import type { ComponentStatus } from '../../../diagnosis/component-status.ts';
import { describeIntercept } from '../../../diagnosis/intercept.ts';
import type { Snapshot } from '../../../diagnosis/snapshot.ts';
import { withDeadline } from '../../../lib/deadline.ts';
import { nodeTypeLabel } from '../../../lib/labels.ts';
import { toHostOrigin, toOrigin } from '../../../plans/addresses.ts';
import { lackingOf } from '../../../plans/extras.ts';
import type { ClusterRecord } from '../../../state/cluster-record.ts';
import { requestStatus } from '../../../tools/http-status.ts';
import type { LocalAccess } from '../cluster.ts';
import { askCluster } from '../cluster.ts';
import { listComponents } from '../components.ts';
import { hideClusterSecrets } from '../secrets.ts';
import { toNeeds, withStatus } from './component-needs.ts';
import { askEngineVersion, findNodeImages, readFreshness } from './read-freshness.ts';
import type { ComponentReport, StatusReport } from './status-report.ts';

/** Milliseconds within which the ingress must respond. */
const ingressTimeout = 1_000;

/**
 * Reads the status of the environment on this machine, from the cluster, its node and the ingress at the same time. The
 * engine is asked for more only if the cluster does not respond.
 */
export async function readStatus(
  app: App,
  access: LocalAccess | undefined,
  name?: string,
): Promise<StatusReport> {
  // These requests come first, so that they run while the sources are read, which takes as long.
  const engine = access && askEngineVersion(app.signal);
  const [answer, ingress, nodeImages, { environment, findFreshness }, probed] = await Promise.all([
    access && askCluster(access, app.signal),
    access && askIngress(access.record, app.signal),
    access && engine?.then((each) => findNodeImages(each, access.record.name, app.signal)),
    readExpected(app, engine, name),
    access && findPolicyRecord(app.paths),
  ]);
  const cluster = access?.record.name ?? environment.cluster?.name ?? environment.name;
  const common = { version: 1, environment: environment.name, namespace: environment.namespace } as const;

  const { snapshot, silence } = answer ?? {};
  if (!access || !findFreshness || !snapshot) {
    const { findState } = await import('../engine.ts');
    const found = await findState(app, cluster, silence);
    const next = found.state === 'unknown' ? 'npm run doctor' : 'npm run up';
    return {
      ...common,
      ready: false,
      fresh: false,
      cluster: { name: cluster, nodes: [], ...found },
      extras: [],
      parts: [],
      next,
    };
  }

  const parts = toComponentReports(snapshot, environment, access.record, (service, running) =>
    findFreshness(service, running, nodeImages),
  );
  const isReady = ingress?.answers === true && parts.every(({ state }) => state === 'ready');
  const stale = parts.filter(({ freshness }) => freshness?.state === 'stale').map((part) => part.name);
  const next = isReady ? toReloadLine(stale) : (findNext(parts) ?? 'npm run why');
  return {
    ...common,
    ready: isReady,
    fresh: stale.length === 0,
    cluster: {
      name: cluster,
      state: 'running',
      nodes: listNodes(snapshot),
      networkPolicies: toPolicies(toPolicyState(snapshot, environment.namespace, probed)),
    },
    ingress,
    extras: access.record.extras.map((name) => ({ name, lacking: lackingOf(name, access.record) })),
    parts,
    next,
  };
}

/** What should run, according to this checkout. */
async function readExpected(
  app: App,
  engine: ReturnType<typeof askEngineVersion> | undefined,
  name: string | undefined,
) {
  const environment = await app.environment({ name });
  await hideClusterSecrets(app, environment);
  const findFreshness = engine && (await readFreshness(app, environment, await engine));
  return { environment, findFreshness };
}

function toReloadLine(services: readonly string[]): string | undefined {
  return services.length === 0 ? undefined : `npm run reload -- ${services.join(' ')}`;
}

/** Failed components come first, since they cannot recover without a change. */
function findNext(parts: readonly ComponentReport[]): string | undefined {
  const failed = parts.find(({ state }) => state === 'failed');
  return (failed ?? parts.find(({ state }) => state !== 'ready'))?.next;
}

/** Whether the ingress responds. */
export async function askIngress(
  record: ClusterRecord,
  signal: AbortSignal,
): Promise<StatusReport['ingress']> {
  const url = `${toOrigin(record)}/`;
  try {
    const status = await withDeadline({ timeout: ingressTimeout, signal }, (limited) =>
      requestStatus(url, { signal: limited }),
    );
    return { url, answers: status < 500, status };
  } catch (error) {
    signal.throwIfAborted();
    return {
      url,
      answers: false,
      evidence: error instanceof Error ? error.message || String(error) : String(error),
    };
  }
}

/** The nodes, and whether each is ready. */
export function listNodes(snapshot: Snapshot): StatusReport['cluster']['nodes'] {
  return snapshot.list('Node').map(({ metadata, status }) => ({
    name: metadata.name,
    ready: status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    type: metadata.labels?.[nodeTypeLabel],
    version: status.nodeInfo?.kubeletVersion,
  }));
}

function toPolicies({ state, at }: PolicyState): StatusReport['cluster']['networkPolicies'] {
  return { state, ...(at === undefined ? {} : { at: new Date(at).toISOString() }) };
}

/** The components of a local environment, without Jobs that are complete. */
export function toComponentReports(
  snapshot: Snapshot,
  environment: Environment,
  record: ClusterRecord,
  findFreshness: (
    service: string,
    running: Pick<ComponentStatus, 'running' | 'live'>,
  ) => ComponentReport['freshness'],
): readonly ComponentReport[] {
  const found = withStatus(snapshot, listComponents(snapshot, environment, record));
  return (
    found
      .map(({ component, status: { created, running, live, intercept, ...status } }): ComponentReport => {
        const { name, kind } = component;
        const time = created === undefined ? undefined : new Date(created).toISOString();
        // What runs is then not what the cluster runs.
        const freshness =
          kind === 'service' && !intercept ? findFreshness(name, { running, live }) : undefined;
        const intercepted = intercept && describeIntercept(intercept);
        return {
          name,
          kind,
          ...status,
          ...toNeeds(component, found),
          freshness,
          intercepted,
          created: time,
          address: toAddress(component, record),
        };
      })
      // Complete Jobs are left out.
      .filter(({ kind, state }) => kind !== 'job' || state !== 'ready')
  );
}

function toAddress({ name, kind, path, host }: ListedPart, record: ClusterRecord): string | undefined {
  if (kind === 'infrastructure') return `npm run forward -- ${name}`;
  if (host !== undefined) return `${toHostOrigin(host, record)}/`;
  return path === undefined ? undefined : `${toOrigin(record)}${path.replace(/\/?$/, '/')}`;
}
