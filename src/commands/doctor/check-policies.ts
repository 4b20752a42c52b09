import type { App } from '../../cli/command.ts';
import type { FoundCluster } from '../../cluster/ownership.ts';
import { tryPolicies } from '../../cluster/policy-trial.ts';
import type { Environment } from '../../config/schema.ts';
import { CommandFailure } from '../../lib/failure.ts';
import type { CheckResult } from '../../machine/checks/check.ts';
import { createDockerCli } from '../../tools/docker/cli.ts';
import type { Docker } from '../../tools/docker/docker.ts';
import { findClusterAccess } from '../context/cluster.ts';

const details = {
  none: 'there are none',
  'not probed': 'not probed: a data store and a service must be ready for that',
  enforced: 'enforced',
  'not enforced': "not enforced by this cluster's network",
} as const;

/** Whether the network of the checkout's cluster enforces its policies, tried now; nothing while it does not answer. */
export async function checkPolicies(
  app: Pick<App, 'paths' | 'exec' | 'signal'>,
  { namespace }: Pick<Environment, 'namespace'>,
  { cluster, docker }: { readonly cluster: FoundCluster; readonly docker: Docker },
): Promise<readonly CheckResult[]> {
  const { paths, exec, signal } = app;
  const access = cluster.state === 'running' ? await findClusterAccess(app) : undefined;
  if (access?.record.name !== cluster.name) return [];
  const dockerCli = createDockerCli(exec, docker.env);
  const id = 'network-policies';
  const title = 'network policies';
  try {
    const state = await tryPolicies({ ...access, dockerCli, paths, namespace }, signal);
    const detail = details[state];
    if (state !== 'not enforced') return [{ id, title, state: 'ok', detail }];
    // What the node image that is built here has for it.
    const fix = 'npm run kubectl -- logs --namespace=kube-system daemonset/pod-network';
    return [{ id, title, state: 'warn', detail, fix }];
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CommandFailure) return [];
    throw error;
  }
}
