import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import { requireDataFolder } from '../../cluster/data-folder.ts';
import type { Environment, LocalEnvironment } from '../../config/schema.ts';
import { selectServices } from '../../config/services.ts';
import { type Images, openImages } from '../../images/open-images.ts';
import { ownPlatform } from '../../lib/platform.ts';
import type { Engine } from '../../machine/engine.ts';
import type { Host } from '../../machine/host.ts';
import type { UpDeps } from '../../plans/up-deps.ts';
import type { ClusterRecord } from '../../state/cluster-record.ts';
import { defaultSocket } from '../../tools/docker/engine-socket.ts';
import { createGit } from '../../tools/git.ts';
import { createPostgres } from '../../tools/postgres.ts';
import { chooseCluster } from './choose-cluster.ts';
import { chooseExtras, type WantedExtras } from './choose-extras.ts';
import { readSituation, readSurroundings, type Situation, type SituationOptions } from './engine.ts';
import { loadMachineEnvironment } from './environment.ts';
import { toEngineRecord } from './own-engine.ts';
import { openServiceImages } from './service-images.ts';
import { openSession } from './session.ts';
import { toolSteps } from './tools.ts';

/** Everything that the plan of `up` needs, for one engine and cluster. Sends no request to either. */
async function connectUp(
  app: Pick<App, 'paths' | 'exec'>,
  engine: Pick<Engine, 'socket' | 'daemonId' | 'arch'>,
  {
    environment,
    host,
    cluster,
    rebuild = false,
  }: { environment: Environment; host: Host; cluster: string; rebuild?: boolean | undefined },
): Promise<UpDeps & { readonly images: Images }> {
  const { paths, exec } = app;
  const session = openSession(app, engine, cluster);
  const { toolchain } = session;
  const { registry } = environment;
  const images = await openImages({
    ...{ paths, registry, toolchain, exec, environment },
    architecture: engine.arch,
  });
  const serviceImages = openServiceImages({ app, host, environment, images, toolchain, rebuild });
  const git = createGit(exec, paths.checkout);
  return {
    ...session,
    ...images,
    engine: toEngineRecord(engine),
    paths,
    images,
    serviceImages,
    openPostgres: (place) => createPostgres(exec, toolchain.kubectl, place),
    git,
    tools: toolSteps(app, images),
  };
}

/** The engine that is yet to be installed or started. */
const futureEngine = { socket: defaultSocket, daemonId: '', arch: ownPlatform().architecture };

/** What exists, and the cluster that `up` would create or update. */
export interface Foreseen {
  readonly situation: Situation;
  readonly record: ClusterRecord;
  readonly deps: UpDeps & { readonly images: Images };
}

export interface UpOptions extends SituationOptions {
  readonly extras: WantedExtras;
  /** Whether the services' images are built although there are some of the current sources. */
  readonly rebuild?: boolean;
  /** Reserves the ports of a cluster to create, none of `avoided`, until this process ends; by default none are reserved. */
  readonly ports?: { readonly avoided: ReadonlySet<number> } | undefined;
}

/**
 * Reads what the plan of `up` depends on; changes nothing but the owner of a cluster that is adopted.
 * @throws {Failure} exit code 9 for a cluster of another checkout, or with another data folder than this run's.
 */
export async function foreseeUp(
  app: Pick<App, 'paths' | 'exec' | 'signal' | 'ui' | 'confirm'>,
  environment: LocalEnvironment,
  { extras, ports, rebuild, ...options }: UpOptions,
): Promise<Foreseen> {
  const situation = await readSituation(app, environment, options);
  const { engine, host, found } = situation;
  if (found) await requireDataFolder(found, join(app.paths.data, found.name));
  const chosen = await chooseCluster({
    ...{ app, environment, ...situation },
    taken: new Set([...situation.taken, ...(ports?.avoided ?? [])]),
    // Without an engine all of this is read again once there is one, which may be by another process.
    reserves: ports !== undefined && engine !== undefined,
  });
  const cluster = chosen.name;
  const deps = await connectUp(app, engine ?? futureEngine, { environment, host, cluster, rebuild });
  // The record of a cluster with another name does not apply to this one.
  const record = situation.record?.name === cluster ? situation.record : undefined;
  const choice = await chooseExtras({ app, environment, images: deps.images, record }, extras);
  return { situation, record: { ...chosen, ...choice, engine: record?.engine }, deps };
}

/** Everything that commands about images need. Images belong to no cluster, so that only the engine is looked for. */
export async function connectImages(app: App) {
  const environment = await loadMachineEnvironment(app);
  const surroundings = await readSurroundings(app, environment);
  const { engine, host, name: cluster } = surroundings;
  const deps = await connectUp(app, engine ?? futureEngine, { environment, host, cluster });
  return { ...deps, environment, ...surroundings, selection: selectServices(environment, []) };
}

export type Connection = Awaited<ReturnType<typeof connectImages>>;
