import type { App } from '../../cli/command.ts';
import { type FoundCluster, findCluster, requireOwn } from '../../cluster/ownership.ts';
import type { LocalEnvironment } from '../../config/schema.ts';
import { type Engine, findEngine } from '../../machine/engine.ts';
import { type Host, readHost } from '../../machine/host.ts';
import { findCheckoutId } from '../../state/checkout-id.ts';
import { type ClusterRecord, findClusterRecord } from '../../state/cluster-record.ts';
import { createDocker } from '../../tools/docker/docker.ts';

/** Where a command works: this machine, its engine, and the name that the checkout's cluster has or will have. */
export interface Surroundings {
  readonly host: Host;
  /** Undefined when none is installed or running. */
  readonly engine: Engine | undefined;
  /** The cluster's name: from `--name`, else as it was chosen before, else the environment's. */
  readonly name: string;
  readonly record: ClusterRecord | undefined;
}

/** What a command finds before it decides anything: its surroundings, and the checkout's cluster in them. */
export interface Situation extends Surroundings {
  readonly found: FoundCluster | undefined;
  /** Ports of this machine that containers have, stopped ones included. */
  readonly taken: ReadonlySet<number>;
}

/** Reads the surroundings, whoever has a cluster of that name; changes nothing. */
export async function readSurroundings(
  { paths, signal }: Pick<App, 'paths' | 'signal'>,
  environment: LocalEnvironment,
  wantedName?: string,
): Promise<Surroundings> {
  const [host, record] = await Promise.all([readHost(), findClusterRecord(paths)]);
  const name = wantedName ?? record?.name ?? environment.cluster.name;
  return { host, engine: await findEngine(host, { signal }), name, record };
}

/**
 * Reads the situation; changes nothing.
 * @throws {Failure} exit code 9 when a cluster of that name exists and is not this checkout's.
 */
export async function readSituation(
  app: Pick<App, 'paths' | 'exec' | 'signal'>,
  environment: LocalEnvironment,
  wantedName?: string,
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
  if (found) requireOwn(found, checkoutId);
  const taken = containers.flatMap(({ ports }) => ports.map(({ hostPort }) => hostPort));
  return { ...surroundings, found, taken: new Set(taken) };
}
