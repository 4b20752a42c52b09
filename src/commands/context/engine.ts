import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import { createNodeWatch } from '../../cluster/node-watch.ts';
import { describeOrphan, findOrphan, requireOwnOrAdopted } from '../../cluster/orphan.ts';
import { type FoundCluster, findCluster, isBeingRemoved } from '../../cluster/ownership.ts';
import type { LocalEnvironment } from '../../config/schema.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import type { Watch } from '../../lib/watchdog.ts';
import {
  type Engine,
  type EngineVersion,
  findEngine,
  findEngineVersion,
  getEngine,
} from '../../machine/engine.ts';
import { EngineFailure } from '../../machine/engine-failure.ts';
import { type Host, readHost } from '../../machine/host.ts';
import { findCheckoutId } from '../../state/checkout-id.ts';
import { type ClusterRecord, findClusterRecord } from '../../state/cluster-record.ts';
import { removeNodes } from '../../steps/remove-nodes.ts';
import { createDocker } from '../../tools/docker/docker.ts';
import { adoptCluster } from './adopt-cluster.ts';
import { findClusterAccess, type LocalAccess } from './cluster.ts';
import type { ClusterState } from './cluster-state.ts';
import { requireOwnEngine } from './own-engine.ts';

/** Where a command works: this machine, its engine, and the name of the checkout's cluster. */
export interface Surroundings {
  readonly host: Host;
  /** Undefined when none is installed or running. */
  readonly engine: Engine | undefined;
  /** The cluster's name: from `--name`, else the recorded one, else the environment's. The cluster may not exist yet. */
  readonly name: string;
  readonly record: ClusterRecord | undefined;
}

/** The surroundings, and the checkout's cluster in them. */
export interface Situation extends Surroundings {
  readonly found: FoundCluster | undefined;
  /** Host ports published by any container, running or stopped. */
  readonly taken: ReadonlySet<number>;
}

/** Reads the surroundings without looking for the cluster; changes nothing. */
export async function readSurroundings(
  { paths, signal }: Pick<App, 'paths' | 'signal'>,
  environment: LocalEnvironment,
  wantedName?: string,
): Promise<Surroundings> {
  const [host, record] = await Promise.all([readHost(), findClusterRecord(paths)]);
  const name = wantedName ?? record?.name ?? environment.cluster.name;
  return { host, engine: await findEngine(host, { signal }), name, record };
}

export interface SituationOptions {
  /** From `--name`. */
  readonly name?: string | undefined;
  /**
   * Adopts a cluster whose checkout cannot use it any more, or the data of an engine that was replaced, after
   * confirmation; `confirmed` is `--yes`.
   */
  readonly adopt?: { readonly confirmed: boolean } | undefined;
}

/**
 * Reads the situation; changes nothing but the owner of what is adopted, and awaits the end of a removal.
 * @throws {Failure} exit code 9 when a cluster of that name belongs to another checkout, or was created in another engine.
 */
export async function readSituation(
  app: Pick<App, 'paths' | 'exec' | 'signal' | 'confirm'>,
  environment: LocalEnvironment,
  { name: wantedName, adopt }: SituationOptions = {},
): Promise<Situation> {
  const { paths, exec, signal } = app;
  const [surroundings, checkoutId] = await Promise.all([
    readSurroundings(app, environment, wantedName),
    findCheckoutId(paths),
  ]);
  const { engine, name } = surroundings;
  if (!engine) return { ...surroundings, found: undefined, taken: new Set() };

  const docker = createDocker(engine, exec);
  const [found, containers] = await Promise.all([
    findCluster(docker, name, signal),
    docker.listContainers([], { signal }),
  ]);
  const data = join(paths.data, name);
  const record = found
    ? surroundings.record
    : await requireOwnEngine(app, engine, { ...surroundings, adopt });
  if (found && adopt) {
    const own = await adoptCluster({ app, docker, found, data, checkoutId, ...surroundings, ...adopt });
    if (own !== checkoutId) return readSituation(app, environment, { name: wantedName });
  }
  if (found) await requireOwnOrAdopted(found, checkoutId, data);
  if (found && adopt && isBeingRemoved(found)) {
    // By a `down` that was killed: its ports are free, and its name is, once the engine has finished.
    await removeNodes(docker, name, signal);
    return readSituation(app, environment, { name: wantedName, adopt });
  }
  const taken = containers.flatMap(({ ports }) => ports.map(({ hostPort }) => hostPort));
  return { ...surroundings, record, found, taken: new Set(taken) };
}

export interface RunningCluster {
  readonly host: Host;
  readonly engine: EngineVersion;
  readonly name: string;
  readonly found: FoundCluster;
}

/**
 * The running cluster of this checkout. Asks the engine two questions only, which takes a tenth of `readSituation`.
 * @throws {Failure} exit code 5 when it does not exist or does not run, 9 when it belongs to another checkout.
 * @throws {EngineFailure} when the engine cannot be asked, which says nothing about the cluster.
 */
export async function getRunningCluster(
  { paths, exec, signal }: Pick<App, 'paths' | 'exec' | 'signal'>,
  environment: Pick<LocalEnvironment, 'cluster'>,
): Promise<RunningCluster> {
  const [host, record, checkoutId] = await Promise.all([
    readHost(),
    findClusterRecord(paths),
    findCheckoutId(paths),
  ]);
  const name = record?.name ?? environment.cluster.name;
  const engine = (await findEngineVersion(host, { signal })) ?? (await findInstalledEngine(host, signal));
  if (engine === undefined) throw toNotRunning(name, undefined);
  const found = await findCluster(createDocker(engine, exec), name, signal);
  if (found) await requireOwnOrAdopted(found, checkoutId, join(paths.data, name));
  if (found?.state !== 'running') throw toNotRunning(name, found);
  return { host, engine, name, found };
}

/**
 * The engine; undefined on a machine that has none, and so no cluster either.
 * @throws {EngineFailure} when one is installed that cannot be asked.
 */
async function findInstalledEngine(host: Host, signal: AbortSignal): Promise<Engine | undefined> {
  try {
    return await getEngine(host, { signal });
  } catch (error) {
    if (error instanceof EngineFailure && error.problem === 'absent') return undefined;
    throw error;
  }
}

/** Access to the running cluster of this checkout, and its containers. */
export interface OwnAccess extends LocalAccess {
  readonly found: FoundCluster;
  /** Ends calls to the cluster that cannot end by themselves. */
  readonly watch: Watch;
}

/**
 * Access to the running cluster of this checkout, for commands that change something in it. The engine is asked who
 * owns it: a name and a kubeconfig prove nothing.
 * @throws {Failure} as `getRunningCluster`.
 */
export async function getOwnCluster(app: App, environment: LocalEnvironment): Promise<OwnAccess> {
  const [{ name, found, engine }, access] = await Promise.all([
    getRunningCluster(app, environment),
    findClusterAccess(app),
  ]);
  if (!access) throw toNotRunning(name, undefined);
  return { ...access, found, watch: createNodeWatch(createDocker(engine, app.exec), name) };
}

function toNotRunning(name: string, found: FoundCluster | undefined): Failure {
  return new Failure(`cluster ${name} ${found ? `is ${found.state}` : 'does not exist'}`, {
    hint: 'npm run up',
    exitCode: exitCodes.cluster,
  });
}

/** What the engine says of a cluster whose API server did not respond, or of which nothing is recorded. */
export async function findState(
  { paths, exec, signal }: Pick<App, 'paths' | 'exec' | 'signal'>,
  name: string,
  silence: string | undefined,
): Promise<{ readonly state: ClusterState; readonly evidence?: string }> {
  try {
    const [host, checkoutId] = await Promise.all([readHost(), findCheckoutId(paths)]);
    const engine = await findInstalledEngine(host, signal);
    if (!engine) return { state: 'missing', evidence: 'no container engine is installed' };
    const found = await findCluster(createDocker(engine, exec), name, signal);
    if (!found) return { state: 'missing' };
    if (found.owner === undefined || found.owner !== checkoutId) {
      const orphan = await findOrphan(found, join(paths.data, name));
      const evidence = orphan
        ? `${describeOrphan(orphan)}; npm run up adopts it`
        : 'the cluster of that name belongs to another checkout';
      return { state: 'missing', evidence };
    }
    if (found.state === 'paused') return { state: 'paused' };
    if (found.state !== 'running') return { state: 'stopped' };
    return {
      state: 'silent',
      evidence: silence ?? 'its kubeconfig is missing, npm run up writes it again',
    };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure) return { state: 'unknown', evidence: error.message };
    throw error;
  }
}
