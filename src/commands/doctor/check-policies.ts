import type { App } from '../../cli/command.ts';
import type { FoundCluster } from '../../cluster/ownership.ts';
import type { Environment } from '../../config/schema.ts';
import { CommandFailure } from '../../lib/failure.ts';
import type { CheckResult } from '../../machine/checks/check.ts';
import { probeNow } from '../../steps/probe-policies.ts';
import { createDockerCli } from '../../tools/docker/cli.ts';
import type { Docker } from '../../tools/docker/docker.ts';
import { findClusterAccess } from '../context/cluster.ts';

const details = {
  none: 'none configured',
  'not probed': 'not probed: needs a data store and a service that are ready',
  enforced: 'enforced',
  'not enforced': "not enforced by this cluster's network",
} as const;

/** Tests now whether the network of the checkout's cluster enforces its policies; no result while the cluster does not respond. */
export async function checkPolicies(
  app: Pick<App, 'paths' | 'exec' | 'signal'>,
  { namespace }: Pick<Environment, 'namespace'>,
  { cluster, docker }: { readonly cluster: FoundCluster; readonly docker: Docker },
): Promise<readonly CheckResult[]> {
  const { paths, exec, signal } = app;
  const access = cluster.state === 'running' ? await findClusterAccess(app) : undefined;
  if (access?.record.name !== cluster.name) return [];
  const dockerCli = createDockerCli(exec, docker);
  const id = 'network-policies';
  const title = 'network policies';
  try {
    const state = await probeNow({ ...access, dockerCli, paths, namespace }, signal);
    const detail = details[state];
    if (state !== 'not enforced') return [{ id, title, state: 'ok', detail }];
    // The workload that enforces policies in the node image that is built here.
    const fix = 'npm run kubectl -- logs --namespace=kube-system daemonset/pod-network';
    return [{ id, title, state: 'warn', detail, fix }];
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CommandFailure) return [];
    throw error;
  }
}
