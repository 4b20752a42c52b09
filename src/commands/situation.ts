import { type FoundCluster, findCluster, requireOwn } from '../cluster/ownership.ts';
import type { Environment } from '../config/schema.ts';
import { type Engine, findEngine } from '../machine/engine.ts';
import { type Host, readHost } from '../machine/host.ts';
import { findCheckoutId } from '../state/checkout-id.ts';
import { type ClusterRecord, findClusterRecord } from '../state/cluster-record.ts';
import { createDocker } from '../tools/docker.ts';
import type { App } from './command.ts';

/** What a command finds before it decides anything: this machine, its engine, and the checkout's cluster in it. */
export interface Situation {
  readonly host: Host;
  /** Undefined when none is installed or running. */
  readonly engine: Engine | undefined;
  /** The cluster's name: from `--name`, else as it was chosen before, else the environment's. */
  readonly name: string;
  readonly record: ClusterRecord | undefined;
  readonly found: FoundCluster | undefined;
  /** Ports of this machine that containers have, stopped ones included. */
  readonly taken: ReadonlySet<number>;
}

/**
 * Reads the situation; changes nothing.
 * @throws {Failure} exit code 9 when a cluster of that name exists and is not this checkout's.
 */
export async function readSituation(
  { paths, exec, signal }: Pick<App, 'paths' | 'exec' | 'signal'>,
  environment: Environment,
  wantedName: string | undefined,
): Promise<Situation> {
  const [host, record, checkoutId] = await Promise.all([
    readHost(),
    findClusterRecord(paths),
    findCheckoutId(paths),
  ]);
  const name = wantedName ?? record?.name ?? environment.cluster.name;
  const engine = await findEngine(host, { signal });
  if (!engine) return { host, engine, name, record, found: undefined, taken: new Set() };

  const docker = createDocker(engine, exec);
  const [found, containers] = await Promise.all([
    findCluster(docker, name, signal),
    docker.listContainers([], { signal }),
  ]);
  if (found) requireOwn(found, checkoutId);
  const taken = containers.flatMap(({ ports }) => ports.map(({ hostPort }) => hostPort));
  return { host, engine, name, record, found, taken: new Set(taken) };
}
