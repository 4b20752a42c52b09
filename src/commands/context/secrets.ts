import type { App } from '../../cli/command.ts';
import { loadOwnSecrets } from '../../config/own-secrets.ts';
import type { Environment } from '../../config/schema.ts';
import { findClusterRecord } from '../../state/cluster-record.ts';
import { findSecrets, type SecretsOptions } from '../../state/secrets.ts';
import { isLocal } from './environment.ts';

/** Where the secrets of this environment and cluster are read from. */
export async function toSecretsOptions(
  { paths }: Pick<App, 'paths'>,
  environment: Environment,
  cluster: string,
): Promise<SecretsOptions> {
  const own = await loadOwnSecrets(paths.checkout, environment.name);
  return { paths, cluster, environment: environment.name, own };
}

/** Keeps the passwords of a cluster on this machine out of all output, in which a service's log may have them. */
export async function hideClusterSecrets(app: Pick<App, 'paths'>, environment: Environment): Promise<void> {
  const record = await findClusterRecord(app.paths);
  if (!record || !isLocal(environment)) return;
  // Secrets that were read are replaced in everything that is printed.
  await findSecrets(await toSecretsOptions(app, environment, record.name));
}
