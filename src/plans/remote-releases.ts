import type { Environment } from '../config/schema.ts';
import { valuesFiles } from '../config/values.ts';
import type { ReleaseSource } from '../steps/deploy-release.ts';

/**
 * The releases of an environment on a remote cluster. All their values come from files, the images too; the ingress
 * controller belongs to that cluster. `secrets` is the path of the user's own values file of secrets, if one exists.
 */
export function listRemoteReleases(
  environment: Environment,
  { checkout, secrets }: { readonly checkout: string; readonly secrets: string | undefined },
  services: readonly string[],
): readonly ReleaseSource[] {
  const files = valuesFiles({ checkout, environment, secrets });
  return ['wealist-infrastructure', ...services].map((name) => ({
    checkout,
    namespace: environment.namespace,
    release: name,
    chart: name,
    valuesFiles: files,
    values: async () => ({}),
  }));
}
