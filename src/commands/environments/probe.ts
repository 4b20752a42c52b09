import { toPartStatus } from '../../cluster/part-status.ts';
import type { Snapshot } from '../../cluster/snapshot.ts';
import type { Environment, LocalEnvironment } from '../../config/schema.ts';
import { isTimeout, withDeadline } from '../../lib/deadline.ts';
import { CommandFailure, exitCodes, Failure } from '../../lib/failure.ts';
import { findTrust } from '../../state/trust.ts';
import { findClusterAccess } from '../cluster-access.ts';
import type { App } from '../command.ts';
import { isLocal } from '../guard.ts';
import { openRemote } from '../remote-access.ts';
import { findState } from '../silent-cluster.ts';

/** An environment with what is behind it, as one line of `env list`. */
export interface ProbedEnvironment {
  readonly name: string;
  readonly chosen: boolean;
  readonly allowed: 'everything' | 'reading';
  readonly namespace: string;
  /** Of a kind cluster on this machine its name, of another the kube context, where one is known. */
  readonly cluster: string | undefined;
  readonly here: boolean;
  /**
   * answers; silent: it does not answer; stopped, paused, missing: of a cluster on this machine; untrusted: nobody has
   * said yet which cluster it is; refused: it is not the trusted one; unknown: there is nobody to ask.
   */
  readonly state:
    | 'answers'
    | 'silent'
    | 'stopped'
    | 'paused'
    | 'missing'
    | 'untrusted'
    | 'refused'
    | 'unknown';
  readonly evidence?: string | undefined;
  /** Services that are deployed, and how many of them are ready; undefined where nobody could be asked. */
  readonly deployed?: { readonly services: number; readonly ready: number } | undefined;
}

/** Milliseconds that each cluster has to answer: all are asked at once, and a list is not waited for longer. */
const patience = 4_000;

type Probe = Pick<ProbedEnvironment, 'cluster' | 'state' | 'evidence' | 'deployed'>;
type Parts = Pick<App, 'paths' | 'exec' | 'signal'>;

/** Asks the cluster of an environment what is there. One elsewhere is asked nothing unless it is the trusted one. */
export async function probeEnvironment(
  app: Parts,
  environment: Environment,
  chosen: boolean,
): Promise<ProbedEnvironment> {
  const { name, namespace } = environment;
  const here = isLocal(environment);
  const probe = here ? await probeHere(app, environment) : await probeElsewhere(app, environment);
  return { name, chosen, allowed: here ? 'everything' : 'reading', namespace, here, ...probe };
}

async function probeHere(app: Parts, environment: LocalEnvironment): Promise<Probe> {
  const access = await findClusterAccess(app);
  const cluster = access?.record.name ?? environment.cluster.name;
  const answer = access && (await countServices(() => access.snapshots, environment, app.signal));
  if (answer?.deployed) return { cluster, state: 'answers', ...answer };
  const { state, evidence } = await findState(app, cluster, answer?.evidence);
  return { cluster, state: state === 'running' ? 'answers' : state, evidence };
}

async function probeElsewhere(app: Parts, environment: Environment): Promise<Probe> {
  const trust = await findTrust(app.paths, environment.name);
  const cluster = trust?.context ?? environment.context;
  if (!trust) return { cluster, state: 'untrusted' };
  try {
    const { snapshots } = await openRemote(app, environment, { patience });
    const answer = await countServices(() => snapshots, environment, app.signal);
    return { cluster, state: answer.deployed ? 'answers' : 'silent', ...answer };
  } catch (error) {
    app.signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    const cause = typeof error.cause === 'string' ? error.cause.replaceAll('\n', '; ') : undefined;
    return {
      cluster,
      state: error.exitCode === exitCodes.refused ? 'refused' : 'silent',
      evidence: cause ?? error.message,
    };
  }
}

async function countServices(
  open: () => { take(signal: AbortSignal): Promise<Snapshot> },
  { namespace, services }: Environment,
  signal: AbortSignal,
): Promise<Pick<Probe, 'deployed' | 'evidence'>> {
  try {
    const snapshot = await withDeadline({ timeout: patience, signal }, (limited) => open().take(limited));
    const deployed = Object.keys(services).filter((name) => snapshot.find('Deployment', name, namespace));
    const ready = deployed.filter(
      (name) => toPartStatus(snapshot, { kind: 'Deployment', name, namespace }).state === 'ready',
    );
    return { deployed: { services: deployed.length, ready: ready.length } };
  } catch (error) {
    signal.throwIfAborted();
    if (isTimeout(error)) return { evidence: `no answer in ${patience / 1000} s` };
    if (error instanceof CommandFailure)
      return { evidence: error.stderr.split('\n').at(-1) || error.message };
    throw error;
  }
}
