import { findCauses } from '../cluster/causes.ts';
import { listUnready, type Part, type Silent, type Unready } from '../cluster/part.ts';
import { readLastLines } from '../cluster/ready.ts';
import type { Environment } from '../config/schema.ts';
import { toWaves } from '../lib/waves.ts';
import { toAddresses, toOrigin } from '../plans/addresses.ts';
import type { ClusterRecord } from '../state/cluster-record.ts';
import { findSilence } from '../steps/answered.ts';
import { askCluster } from './ask-cluster.ts';
import { findClusterAccess } from './cluster-access.ts';
import { toClusterWords } from './cluster-state.ts';
import type { App } from './command.ts';
import { listParts } from './list-parts.ts';
import type { WhyReport } from './why-report.ts';

/** Lines of a log that are searched for what they complain of. */
const searchedLines = 300;

/** Asks the cluster, the logs of what is not ready, and the ingress for the rest. Changes nothing. */
export async function readWhy(app: App, service: string | undefined): Promise<WhyReport> {
  const [access, environment] = await Promise.all([findClusterAccess(app), app.environment()]);
  const { name: environmentName, namespace } = environment;
  const common = { version: 1, environment: environmentName, namespace, service } as const;
  const name = access?.record.name ?? environment.cluster?.name ?? environment.name;
  const answer = access && (await askCluster(access, app.signal));
  if (!access || !answer?.snapshot) {
    return { ...common, ...(await explainCluster(app, name, answer?.silence)) };
  }

  const { snapshot } = answer;
  const parts = toOrder(listParts(snapshot, environment, access.record));
  const unready = await listUnready(snapshot, parts, (log) =>
    readLastLines(access.kubectl, log, app.signal, searchedLines),
  );
  const silent = await listSilent(parts, unready, environment, access.record, app.signal);
  const all = findCauses({ snapshot, parts, unready, silent });
  const causes = service === undefined ? all : all.filter(({ affects }) => affects.includes(service));
  return {
    ...common,
    cluster: { name, state: 'running' },
    causes,
    line: describeResult(causes, service, parts, toOrigin(access.record)),
    next: causes[0]?.next,
  };
}

function describeResult(
  causes: readonly object[],
  service: string | undefined,
  parts: readonly Part[],
  origin: string,
): string {
  if (causes.length > 0) return causes.length === 1 ? '1 cause' : `${causes.length} causes`;
  if (service !== undefined) return `${service} is ready, and answers`;
  const services = parts.filter(({ kind }) => kind === 'service').length;
  return `all ${services} services are ready, with all that they need, and answer at ${origin}/`;
}

/** What is needed comes before what needs it. */
function toOrder(parts: readonly Part[]): readonly Part[] {
  const byName = new Map(parts.map((part) => [part.name, part]));
  const waves = toWaves([...byName.keys()], (name) => byName.get(name)?.needs ?? []);
  return waves.flat().flatMap((name) => byName.get(name) ?? []);
}

/** Why there was no answer. That nothing was made yet is no fault; that what was made does not answer is one. */
async function explainCluster(
  app: App,
  name: string,
  silence: string | undefined,
): Promise<Pick<WhyReport, 'cluster' | 'causes' | 'line' | 'next'>> {
  const { findState } = await import('./silent-cluster.ts');
  const { state, evidence } = await findState(app, name, silence);
  const next = state === 'unknown' ? 'npm run doctor' : 'npm run up';
  const line = `cluster ${name} ${toClusterWords(state)}`;
  const isFault = state !== 'missing';
  const cause = { about: 'cluster', state: 'failed', line, evidence, next, affects: [] } as const;
  const why = evidence === undefined ? '' : `: ${evidence}`;
  return {
    cluster: { name, state },
    causes: isFault ? [cause] : [],
    line: isFault ? line : `${line}${why}`,
    next,
  };
}

/** What is ready and does not answer through the ingress: for the rest it is known why. */
async function listSilent(
  parts: readonly Part[],
  unready: readonly Unready[],
  environment: Environment,
  record: ClusterRecord,
  signal: AbortSignal,
): Promise<readonly Silent[]> {
  const broken = new Set(unready.map(({ part }) => part));
  const asked = parts.filter((part) => part.path !== undefined && !broken.has(part));
  const answers = await Promise.all(
    asked.map(async (part): Promise<readonly Silent[]> => {
      const [address] = toAddresses(environment, [part.name], record);
      const url = address?.url ?? toOrigin(record);
      const state = await findSilence(url, signal);
      return state === undefined ? [] : [{ part, url, state }];
    }),
  );
  return answers.flat();
}
