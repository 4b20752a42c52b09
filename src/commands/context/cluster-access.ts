import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import { createApiSnapshots } from '../../diagnosis/api-snapshots.ts';
import type { Snapshots } from '../../diagnosis/snapshot.ts';
import { type ClusterRecord, findClusterRecord } from '../../state/cluster-record.ts';
import { toKubeContext } from '../../tools/kind.ts';
import type { ApiReader, ApiServer } from '../../tools/kubernetes/api-server.ts';
import { createKubectl, type Kubectl, type KubectlReader } from '../../tools/kubernetes/kubectl.ts';
import { createApiOpener } from '../../tools/kubernetes/open-api.ts';
import { findKubectl } from './find-kubectl.ts';

/** A cluster, for commands that only ask it: no engine is needed for that. */
export interface ClusterAccess {
  readonly kubectl: KubectlReader;
  readonly snapshots: Snapshots;
  /** Reads the kubeconfig. @throws {Failure} exit code 5 when that cannot be used. */
  openApi(): Promise<ApiReader>;
}

/** The cluster of this checkout. */
export interface LocalAccess extends ClusterAccess {
  readonly record: ClusterRecord;
  readonly kubectl: Kubectl;
  openApi(): Promise<ApiServer>;
}

/** Undefined when no cluster has been made, or it was removed. Asks nobody. */
export async function findClusterAccess({
  paths,
  exec,
}: Pick<App, 'paths' | 'exec'>): Promise<LocalAccess | undefined> {
  const kubeconfig = join(paths.state, 'kubeconfig');
  const [record, isMade, program] = await Promise.all([
    findClusterRecord(paths),
    exists(kubeconfig),
    findKubectl({ paths }),
  ]);
  if (!record || !isMade) return undefined;
  const context = toKubeContext(record.name);
  const openApi = createApiOpener(kubeconfig, context, exec);
  return {
    record,
    kubectl: createKubectl(exec, { program, kubeconfig, context }),
    snapshots: createApiSnapshots(openApi),
    openApi,
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
