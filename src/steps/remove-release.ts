import type { Releases } from '../cluster/releases.ts';
import type { Step } from '../plan/plan.ts';
import type { Helm } from '../tools/helm.ts';

/**
 * A release is uninstalled, with its history. Helm does that from every status, also `pending-…` and `uninstalling`, in
 * which a killed run leaves it; of a release that is `uninstalled` already it removes the history.
 */
export function removeRelease(
  release: string,
  namespace: string,
  { helm, releases }: { readonly helm: Helm; readonly releases: Releases },
): Step {
  return {
    title: `remove ${release}`,
    async isDone({ signal }) {
      const found = await releases(signal, 1_000);
      return !found.some((each) => each.name === release && each.namespace === namespace) && 'not found';
    },
    async apply({ signal }) {
      await helm.uninstall(release, namespace, signal);
    },
  };
}
