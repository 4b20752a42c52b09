import type { Environment } from '../config/schema.ts';
import { valuesFiles } from '../config/values.ts';
import type { ReleaseSource } from '../steps/deploy-release.ts';

/**
 * The releases of an environment on a cluster of somebody else, which all come from files: its images too. The ingress
 * controller is none of them, it belongs to that cluster. `secrets` is the person's own file of them, where there is one.
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
