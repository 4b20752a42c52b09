import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { type ClusterAccess, findClusterAccess } from './cluster-access.ts';
import { isLocal } from './guard.ts';

/**
 * The cluster of the environment: this checkout's, or the one that was trusted to be the environment's, which is said.
 * @throws {Failure} exit code 5 when there is no cluster or it does not answer, 9 when it is not the trusted one.
 */
export async function getClusterAccess(
  app: Pick<App, 'paths' | 'exec' | 'signal' | 'ui'>,
  environment: Environment,
): Promise<ClusterAccess> {
  if (!isLocal(environment)) {
    const { openRemote } = await import('./remote-access.ts');
    const remote = await openRemote(app, environment);
    const { name, server } = remote.context;
    app.ui.say(
      app.ui.colors.dim(`environment ${environment.name}: kube context ${name}, ${server}, read only`),
    );
    return remote;
  }
  const found = await findClusterAccess(app);
  if (found) return found;
  throw new Failure('there is no cluster yet', { hint: 'npm run up', exitCode: exitCodes.cluster });
}
