import type { App } from '../../cli/command.ts';
import type { LocalEnvironment } from '../../config/schema.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { findClusterAccess } from './cluster-access.ts';
import { readSituation } from './situation.ts';

type OwnCluster = NonNullable<Awaited<ReturnType<typeof findClusterAccess>>>;

/**
 * The running cluster of this checkout, for commands that act in it. The engine is asked whose it is: a name and a
 * kubeconfig prove nothing.
 * @throws {Failure} exit code 5 when it does not run, 9 when it is not this checkout's.
 */
export async function getOwnCluster(app: App, environment: LocalEnvironment): Promise<OwnCluster> {
  const [{ found, name }, access] = await Promise.all([
    readSituation(app, environment),
    findClusterAccess(app),
  ]);
  if (access && found?.state === 'running') return access;
  throw new Failure(`cluster ${name} ${found ? `is ${found.state}` : 'does not exist'}`, {
    hint: 'npm run up',
    exitCode: exitCodes.cluster,
  });
}
