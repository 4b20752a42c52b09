import type { App } from '../../cli/command.ts';
import { loadOwnSecrets } from '../../config/own-secrets.ts';
import type { Environment } from '../../config/schema.ts';
import type { SecretsOptions } from '../../state/secrets.ts';

/** Where the secrets of this environment and cluster are read from. */
export async function toSecretsOptions(
  { paths }: Pick<App, 'paths'>,
  environment: Environment,
  cluster: string,
): Promise<SecretsOptions> {
  const own = await loadOwnSecrets(paths.checkout, environment.name);
  return { paths, cluster, environment: environment.name, own };
}
