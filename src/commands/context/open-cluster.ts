import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { type ClusterAccess, findClusterAccess } from './cluster.ts';
import { isLocal } from './environment.ts';

/**
 * The cluster of the environment, to read from: this checkout's, or the trusted remote one, which is printed.
 * @throws {Failure} exit code 5 when there is no cluster or it does not respond, 9 when it is not the trusted one.
 */
export async function openCluster(
  app: Pick<App, 'paths' | 'exec' | 'signal' | 'ui'>,
  environment: Environment,
): Promise<ClusterAccess> {
  if (!isLocal(environment)) {
    const { openRemote } = await import('./remote-cluster.ts');
    const remote = await openRemote(app, environment);
    const { name, server } = remote.context;
    app.ui.say(
      app.ui.colors.dim(`environment ${environment.name}: kube context ${name}, ${server}, read-only`),
    );
    return remote;
  }
  const found = await findClusterAccess(app);
  if (found) return found;
  throw new Failure('no cluster has been created yet', { hint: 'npm run up', exitCode: exitCodes.cluster });
}
