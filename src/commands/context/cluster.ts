import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import { createApiSnapshots } from '../../diagnosis/api-snapshots.ts';
import type { Snapshot, Snapshots } from '../../diagnosis/snapshot.ts';
import { isTimeout, withDeadline } from '../../lib/deadline.ts';
import { CommandFailure, Failure } from '../../lib/failure.ts';
import { type ClusterRecord, findClusterRecord } from '../../state/cluster-record.ts';
import { toKubeContext } from '../../tools/kind.ts';
import type { ApiReader, ApiServer } from '../../tools/kubernetes/api-server.ts';
import { createKubectl, type Kubectl, type KubectlReader } from '../../tools/kubernetes/kubectl.ts';
import { createApiOpener } from '../../tools/kubernetes/open-api.ts';

/** A cluster, for commands that only read from it. */
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

/**
 * Access to this checkout's cluster by its record and kubeconfig. Neither the engine nor the cluster is asked whether it
 * still exists: `getOwnCluster` does that. Undefined when none was created, or it was removed.
 */
export async function findClusterAccess({
  paths,
  exec,
}: Pick<App, 'paths' | 'exec'>): Promise<LocalAccess | undefined> {
  const kubeconfig = join(paths.state, 'kubeconfig');
  const [record, hasKubeconfig, program] = await Promise.all([
    findClusterRecord(paths),
    exists(kubeconfig),
    findKubectl({ paths }),
  ]);
  if (!record || !hasKubeconfig) return undefined;
  const context = toKubeContext(record.name);
  const openApi = createApiOpener(kubeconfig, context, exec);
  return {
    record,
    kubectl: createKubectl(exec, { program, kubeconfig, context }),
    snapshots: createApiSnapshots(openApi),
    openApi,
  };
}

/** The kubectl that `up` or `env trust` has installed, else the one on PATH. */
export async function findKubectl({ paths }: Pick<App, 'paths'>): Promise<string> {
  const own = join(paths.state, 'bin/kubectl');
  return (await exists(own)) ? own : 'kubectl';
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Milliseconds in which the cluster must respond. */
const clusterTimeout = 5_000;

interface ClusterAnswer {
  readonly snapshot?: Snapshot;
  /** Why there is no snapshot. */
  readonly silence?: string;
}

/** The current state of the cluster, or why it did not respond. */
export async function askCluster(
  { snapshots }: Pick<ClusterAccess, 'snapshots'>,
  signal: AbortSignal,
): Promise<ClusterAnswer> {
  try {
    return {
      snapshot: await withDeadline({ timeout: clusterTimeout, signal }, (limited) => snapshots.take(limited)),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (isTimeout(error)) return { silence: `no response in ${clusterTimeout / 1000} s` };
    if (error instanceof Failure) return { silence: toSilence(error) };
    throw error;
  }
}

/** The shortest text that says why a cluster did not respond. */
function toSilence(failure: Failure): string {
  if (failure instanceof CommandFailure) return failure.stderr.split('\n').at(-1) || failure.message;
  return typeof failure.cause === 'string' ? failure.cause : failure.message;
}
