import type { App } from '../../../cli/command.ts';
import type { Environment, LocalEnvironment } from '../../../config/schema.ts';
import { findCauses } from '../../../diagnosis/causes.ts';
import { type Component, listUnready, type Silent, type Unready } from '../../../diagnosis/component.ts';
import { readLastLines } from '../../../diagnosis/ready.ts';
import type { Snapshot } from '../../../diagnosis/snapshot.ts';
import { toWaves } from '../../../lib/waves.ts';
import { toAddresses, toOrigin } from '../../../plans/addresses.ts';
import type { ClusterRecord } from '../../../state/cluster-record.ts';
import { findResponseProblem } from '../../../steps/wait-for-ingress.ts';
import { askCluster, type ClusterAccess, findClusterAccess, type LocalAccess } from '../cluster.ts';
import { toClusterWords } from '../cluster-state.ts';
import { listComponents, listRemoteComponents } from '../components.ts';
import { isLocal, toRemoteLine } from '../environment.ts';
import { hideClusterSecrets } from '../secrets.ts';
import type { WhyReport } from './why-report.ts';

/** How many lines of a log are searched for errors. */
const searchedLines = 300;

/** Reads the cluster, and the logs of what is not ready; on this machine it also sends requests through the ingress. */
export async function readWhy(
  app: App,
  environment: Environment,
  service: string | undefined,
): Promise<WhyReport> {
  if (!isLocal(environment)) return readRemoteWhy(app, environment, service);
  // Logs and events may contain them.
  await hideClusterSecrets(app, environment);
  const access = await findClusterAccess(app);
  const { name: environmentName, namespace } = environment;
  const common = { version: 1, environment: environmentName, namespace, service } as const;
  const name = access?.record.name ?? environment.cluster.name;
  const answer = access && (await askCluster(access, app.signal));
  if (!access || !answer?.snapshot) {
    return { ...common, ...(await explainCluster(app, name, answer?.silence)) };
  }

  const all = await explainSnapshot(app, environment, access, answer.snapshot);
  return { ...common, ...selectCauses(all, service), cluster: { name, state: 'running' } };
}

/** What was found in a snapshot, before it is reduced to one service. */
export interface Explanation {
  readonly components: readonly Component[];
  readonly causes: WhyReport['causes'];
  /** Where the components respond; undefined where they were not asked. */
  readonly where: string | undefined;
}

/** The causes of what is not ready in a snapshot, or does not respond now. */
export async function explainSnapshot(
  { signal }: Pick<App, 'signal'>,
  environment: LocalEnvironment,
  { kubectl, record }: Pick<LocalAccess, 'kubectl' | 'record'>,
  snapshot: Snapshot,
): Promise<Explanation> {
  const components = toOrder(listComponents(snapshot, environment, record));
  const unready = await listUnready(snapshot, components, (log) =>
    readLastLines(kubectl, log, signal, searchedLines),
  );
  const silent = await listUnresponsive(snapshot, components, unready, environment, record, signal);
  const causes = findCauses({ snapshot, components, unready, silent });
  return { components, causes, where: `at ${toOrigin(record)}/` };
}

/** The causes that affect a service, or all, with the result as text. */
export function selectCauses(
  { components, causes, where }: Explanation,
  service: string | undefined,
): Pick<WhyReport, 'causes' | 'line' | 'next'> {
  const selected = causes.filter(({ affects }) => service === undefined || affects.includes(service));
  return {
    causes: selected,
    line: describeResult(selected, service, components, where),
    next: selected[0]?.next,
  };
}

/** The same for a remote environment, without requests through its ingress. @throws {Failure} as `openRemote`. */
async function readRemoteWhy(
  app: App,
  environment: Environment,
  service: string | undefined,
): Promise<WhyReport> {
  const { openRemote } = await import('../remote-cluster.ts');
  const access = await openRemote(app, environment);
  const { name, namespace } = environment;
  const common = { version: 1, environment: name, namespace, service } as const;
  const cluster = access.context.name;
  const { snapshot, silence } = await askCluster(access, app.signal);
  if (!snapshot) {
    const line = `cluster ${cluster} ${toClusterWords('silent')}`;
    const cause = { about: 'cluster', state: 'failed', line, evidence: silence, affects: [] } as const;
    return { ...common, cluster: { name: cluster, state: 'silent' }, causes: [cause], line };
  }
  const all = await explainRemoteSnapshot(app, environment, access, snapshot);
  return { ...common, ...selectCauses(all, service), cluster: { name: cluster, state: 'running' } };
}

/** The same for a remote environment, where nothing is asked through the ingress. */
export async function explainRemoteSnapshot(
  { signal }: Pick<App, 'signal'>,
  environment: Environment,
  { kubectl }: Pick<ClusterAccess, 'kubectl'>,
  snapshot: Snapshot,
): Promise<Explanation> {
  const components = toOrder(listRemoteComponents(snapshot, environment));
  const unready = await listUnready(snapshot, components, (log) =>
    readLastLines(kubectl, log, signal, searchedLines),
  );
  const causes = findCauses({ snapshot, components, unready, silent: [] });
  return {
    components,
    causes: causes.map((cause) => ({ ...cause, next: toRemoteLine(cause.next, environment.name) })),
    where: undefined,
  };
}

function describeResult(
  causes: readonly object[],
  service: string | undefined,
  components: readonly Component[],
  where: string | undefined,
): string {
  if (causes.length > 0) return causes.length === 1 ? '1 cause' : `${causes.length} causes`;
  if (service !== undefined)
    return where === undefined ? `${service} is ready` : `${service} is ready and responds`;
  const services = components.filter(({ kind }) => kind === 'service').length;
  const answering = where === undefined ? '' : `, and respond ${where}`;
  return `all ${services} services and their dependencies are ready${answering}`;
}

/** Sorts components after those that they need. */
function toOrder(components: readonly Component[]): readonly Component[] {
  const byName = new Map(components.map((component) => [component.name, component]));
  const waves = toWaves([...byName.keys()], (name) => byName.get(name)?.needs ?? []);
  return waves.flat().flatMap((name) => byName.get(name) ?? []);
}

/** Why the cluster does not respond. A cluster that was never created is not reported as a cause. */
async function explainCluster(
  app: App,
  name: string,
  silence: string | undefined,
): Promise<Pick<WhyReport, 'cluster' | 'causes' | 'line' | 'next'>> {
  const { findState } = await import('../engine.ts');
  const { state, evidence } = await findState(app, name, silence);
  const next = state === 'unknown' ? 'npm run doctor' : 'npm run up';
  const line = `cluster ${name} ${toClusterWords(state)}`;
  const isProblem = state !== 'missing';
  const cause = { about: 'cluster', state: 'failed', line, evidence, next, affects: [] } as const;
  const why = evidence === undefined ? '' : `: ${evidence}`;
  return {
    cluster: { name, state },
    causes: isProblem ? [cause] : [],
    line: isProblem ? line : `${line}${why}`,
    next,
  };
}

/** Components that are ready but do not respond through the ingress. */
async function listUnresponsive(
  snapshot: Snapshot,
  components: readonly Component[],
  unready: readonly Unready[],
  environment: Environment,
  record: ClusterRecord,
  signal: AbortSignal,
): Promise<readonly Silent[]> {
  const broken = new Set(unready.map(({ component }) => component));
  const asked = components.filter((component) => component.path !== undefined && !broken.has(component));
  const answers = await Promise.all(
    asked.map(async (component): Promise<readonly Silent[]> => {
      const [address = { url: toOrigin(record) }] = toAddresses(
        environment,
        [component.name],
        record,
        snapshot,
      );
      const { url } = address;
      const state = await findResponseProblem(address, signal);
      return state === undefined ? [] : [{ component, url, state }];
    }),
  );
  return answers.flat();
}
