import type { App } from '../../cli/command.ts';
import { findCluster, requireOwn } from '../../cluster/ownership.ts';
import type { LocalEnvironment } from '../../config/schema.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { type Engine, findSocket } from '../../machine/engine.ts';
import { type Host, readHost } from '../../machine/host.ts';
import { findCheckoutId } from '../../state/checkout-id.ts';
import { findClusterRecord } from '../../state/cluster-record.ts';
import { createDocker } from '../../tools/docker/docker.ts';

export interface RunningCluster {
  readonly host: Host;
  readonly engine: Pick<Engine, 'socket'>;
  readonly name: string;
}

/**
 * The cluster of this checkout, which runs: less than `readSituation` asks, and so in a tenth of its time.
 * @throws {Failure} exit code 5 when there is none or it does not run, 9 when it is not this checkout's.
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
  const socket = await findSocket(host, { signal });
  const found =
    socket === undefined ? undefined : await findCluster(createDocker({ socket }, exec), name, signal);
  if (found) requireOwn(found, checkoutId);
  if (socket !== undefined && found?.state === 'running') return { host, engine: { socket }, name };
  throw new Failure(`cluster ${name} ${found ? `is ${found.state}` : 'does not exist'}`, {
    hint: 'npm run up',
    exitCode: exitCodes.cluster,
  });
}
