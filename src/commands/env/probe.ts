import type { App } from '../../cli/command.ts';
import type { Environment, LocalEnvironment } from '../../config/schema.ts';
import { toComponentStatus } from '../../diagnosis/component-status.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { findTrust } from '../../state/trust.ts';
import { askCluster, type ClusterAccess, findClusterAccess } from '../context/cluster.ts';
import { findState } from '../context/engine.ts';
import { isLocal } from '../context/environment.ts';
import { openRemote } from '../context/remote-cluster.ts';

/** An environment with the state of its cluster: one line of `env list`. */
export interface ProbedEnvironment {
  readonly name: string;
  readonly chosen: boolean;
  readonly allowed: 'everything' | 'reading';
  readonly namespace: string;
  /** Name of the kind cluster on this machine, or the kube context of a remote cluster, if known. */
  readonly cluster: string | undefined;
  readonly here: boolean;
  /**
   * answers: it responds; silent: it does not respond; stopped, paused, missing: states of a cluster on this machine;
   * untrusted: its cluster was not trusted yet; refused: it is not the trusted cluster; unknown: no engine responds.
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
  /** Number of deployed and of ready services; undefined when the cluster does not respond. */
  readonly deployed?: { readonly services: number; readonly ready: number } | undefined;
}

/** Milliseconds within which a remote cluster must respond with its identity. */
const timeout = 5_000;

type Probe = Pick<ProbedEnvironment, 'cluster' | 'state' | 'evidence' | 'deployed'>;
type Deps = Pick<App, 'paths' | 'exec' | 'signal'>;

/** Reads the state of an environment's cluster. From a remote cluster nothing is read unless it is the trusted one. */
export async function probeEnvironment(
  app: Deps,
  environment: Environment,
  chosen: boolean,
): Promise<ProbedEnvironment> {
  const { name, namespace } = environment;
  const here = isLocal(environment);
  const probe = here ? await probeLocal(app, environment) : await probeRemote(app, environment);
  return { name, chosen, allowed: here ? 'everything' : 'reading', namespace, here, ...probe };
}

async function probeLocal(app: Deps, environment: LocalEnvironment): Promise<Probe> {
  const access = await findClusterAccess(app);
  const cluster = access?.record.name ?? environment.cluster.name;
  const answer = access && (await countServices(access, environment, app.signal));
  if (answer?.deployed) return { cluster, state: 'answers', ...answer };
  const { state, evidence } = await findState(app, cluster, answer?.evidence);
  return { cluster, state: state === 'running' ? 'answers' : state, evidence };
}

async function probeRemote(app: Deps, environment: Environment): Promise<Probe> {
  const trust = await findTrust(app.paths, environment.name);
  const cluster = trust?.context ?? environment.context;
  if (!trust) return { cluster, state: 'untrusted' };
  try {
    const access = await openRemote(app, environment, { timeout });
    const answer = await countServices(access, environment, app.signal);
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

/** Counts deployed and ready services; if the cluster does not respond, resolves to the reason. */
async function countServices(
  access: Pick<ClusterAccess, 'snapshots'>,
  { namespace, services }: Environment,
  signal: AbortSignal,
): Promise<Pick<Probe, 'deployed' | 'evidence'>> {
  const { snapshot, silence } = await askCluster(access, signal);
  if (!snapshot) return { evidence: silence };
  const deployed = Object.keys(services).filter((name) => snapshot.find('Deployment', name, namespace));
  const ready = deployed.filter(
    (name) => toComponentStatus(snapshot, { kind: 'Deployment', name, namespace }).state === 'ready',
  );
  return { deployed: { services: deployed.length, ready: ready.length } };
}
