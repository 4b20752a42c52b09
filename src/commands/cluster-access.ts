import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createApiSnapshots } from '../cluster/api-snapshots.ts';
import type { Snapshots } from '../cluster/snapshot.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { type ClusterRecord, findClusterRecord } from '../state/cluster-record.ts';
import type { ApiServer } from '../tools/api-server.ts';
import { createKubectl, type Kubectl } from '../tools/kubectl.ts';
import type { App } from './command.ts';

/** The cluster of this checkout, for commands that only ask it: no engine is needed for that. */
export interface ClusterAccess {
  readonly record: ClusterRecord;
  readonly kubectl: Kubectl;
  readonly snapshots: Snapshots;
  /** Reads the kubeconfig. @throws {Failure} exit code 5 when that cannot be used. */
  openApi(): Promise<ApiServer>;
}

/** Undefined when no cluster has been made, or it was removed. Asks nobody. */
export async function findClusterAccess({
  paths,
  exec,
}: Pick<App, 'paths' | 'exec'>): Promise<ClusterAccess | undefined> {
  const kubeconfig = join(paths.state, 'kubeconfig');
  const ours = join(paths.state, 'bin/kubectl');
  const [record, isMade, isOurs] = await Promise.all([
    findClusterRecord(paths),
    exists(kubeconfig),
    exists(ours),
  ]);
  if (!record || !isMade) return undefined;
  const program = isOurs ? ours : 'kubectl';
  const context = `kind-${record.name}`;
  async function openApi(): Promise<ApiServer> {
    const { readKubeconfig } = await import('../tools/kubeconfig.ts');
    const { createApiServer } = await import('../tools/api-server.ts');
    return createApiServer(await readKubeconfig(kubeconfig, context));
  }
  return {
    record,
    kubectl: createKubectl(exec, { program, kubeconfig, context }),
    snapshots: createApiSnapshots(openApi),
    openApi,
  };
}

/** @throws {Failure} exit code 5 when there is no cluster. */
export async function getClusterAccess(app: Pick<App, 'paths' | 'exec'>): Promise<ClusterAccess> {
  const found = await findClusterAccess(app);
  if (found) return found;
  throw new Failure('there is no cluster yet', { hint: 'npm run up', exitCode: exitCodes.cluster });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
