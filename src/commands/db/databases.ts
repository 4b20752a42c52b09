import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import { requireDataFolder } from '../../cluster/data-folder.ts';
import type { LocalEnvironment } from '../../config/schema.ts';
import { selectComponents } from '../../config/services.ts';
import { getRunningPod } from '../../diagnosis/find-pod.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { toSnapshotsFolder } from '../../state/database-snapshots.ts';
import type { Kubectl } from '../../tools/kubernetes/kubectl.ts';
import { createPostgres, type Postgres } from '../../tools/postgres.ts';
import { getOwnCluster } from '../context/engine.ts';
import { toWorkload } from '../context/forward-targets.ts';

/** The databases of a checkout's cluster, and the services that use them. */
export interface Databases extends Awaited<ReturnType<typeof getOwnCluster>> {
  readonly postgres: Postgres;
  readonly namespace: string;
  /** Database by service, for services that have one. */
  readonly ofService: ReadonlyMap<string, string>;
  /** Names of the Deployments that are not scaled to zero. */
  readonly deployed: readonly string[];
  /** Folder of the snapshots. */
  readonly folder: string;
}

/**
 * Snapshots are in the data folder, so that the cluster must mount this run's if the action reads or writes some.
 * @throws {Failure} exit code 5 or 9 as `getOwnCluster`, 8 when PostgreSQL is not running, 9 for another data folder.
 */
export async function openDatabases(
  app: App,
  environment: LocalEnvironment,
  { withSnapshots = false } = {},
): Promise<Databases> {
  const { namespace } = environment;
  const access = await getOwnCluster(app, environment);
  const { found } = access;
  if (withSnapshots) await requireDataFolder(found, join(app.paths.data, found.name), 'npm run db');
  const [snapshot, ofService] = await Promise.all([
    access.snapshots.take(app.signal),
    readDatabaseNames(access.kubectl, environment, app.signal),
  ]);
  const { metadata } = getRunningPod(snapshot, toWorkload(environment, 'postgres'));
  const place = { namespace, pod: metadata.name, container: 'postgres' };
  const deployed = snapshot
    .list('Deployment')
    .filter((each) => each.metadata.namespace === namespace && each.spec.replicas !== 0)
    .map((each) => each.metadata.name);
  return {
    ...access,
    postgres: createPostgres(app.exec, access.kubectl, place),
    namespace,
    ofService,
    deployed,
    folder: toSnapshotsFolder(app.paths.data, access.record.name),
  };
}

interface ConfigMap {
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
}

/** Reads the names from the ConfigMaps of the services. */
async function readDatabaseNames(
  kubectl: Kubectl,
  { namespace, services }: LocalEnvironment,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const where = ['configmaps', `--namespace=${namespace}`];
  const { items } = await kubectl.getJson<{ readonly items: readonly ConfigMap[] }>(where, signal);
  const names = Object.keys(services).flatMap((service) => {
    const name = items.find(({ metadata }) => metadata.name === `${service}-config`)?.data?.DB_NAME;
    return name === undefined ? [] : [[service, name] as const];
  });
  return new Map(names);
}

/** The script that creates the databases of all services, as deployed by `up`. */
export async function readBootstrap(
  { kubectl, namespace }: Pick<Databases, 'kubectl' | 'namespace'>,
  signal: AbortSignal,
): Promise<string> {
  const where = ['configmap/bootstrap', `--namespace=${namespace}`];
  const { data } = await kubectl.getJson<ConfigMap>(where, signal);
  const script = data?.['databases.sql'];
  if (script !== undefined) return script;
  throw new Failure('ConfigMap bootstrap has no databases.sql, which creates the databases', {
    hint: 'npm run up',
    exitCode: exitCodes.cluster,
  });
}

/**
 * The databases of the named services (default: all), without duplicates.
 * @throws {Failure} exit code 2 for an unknown service, or one without a database.
 */
export function selectDatabases(
  environment: LocalEnvironment,
  ofService: ReadonlyMap<string, string>,
  services: readonly string[],
): readonly string[] {
  if (services.length === 0) return [...new Set(ofService.values())].toSorted();
  const names = selectComponents(environment, services).map((service) => getDatabase(ofService, service));
  return [...new Set(names)];
}

/** @throws {Failure} exit code 2 when the service has no database. */
export function getDatabase(ofService: ReadonlyMap<string, string>, service: string): string {
  const name = ofService.get(service);
  if (name !== undefined) return name;
  throw new Failure(`${service} has no database`, {
    hint: `services with a database: ${[...ofService.keys()].join(', ')}`,
    exitCode: exitCodes.usage,
  });
}

/** The running image IDs, by service. */
export async function readImages(
  { snapshots, namespace, ofService }: Pick<Databases, 'snapshots' | 'namespace' | 'ofService'>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const snapshot = await snapshots.take(signal, { maxAge: 5_000 });
  const pods = snapshot.list('Pod').filter(({ metadata }) => metadata.namespace === namespace);
  const containers = pods.flatMap(({ status }) => status.containerStatuses ?? []);
  const ids = containers
    .filter(({ name, imageID }) => (ofService.has(name) || name === 'postgres') && imageID !== '')
    .map(({ name, imageID }) => [name, imageID] as const);
  return Object.fromEntries(ids);
}
