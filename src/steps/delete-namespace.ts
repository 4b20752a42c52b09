import type { Step } from '../plan/plan.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';
import { waitUntilDeleted } from './wait-for-deletion.ts';

/** A namespace is deleted with all its objects; the folders of its volumes stay on this machine. */
export function deleteNamespace(kubectl: Kubectl, name: string): Step {
  return {
    title: `delete namespace ${name}`,
    async isDone({ signal }) {
      const found = await kubectl.run(['get', 'namespace', name, '--ignore-not-found', '-o', 'name'], signal);
      return found.trim() === '' && 'not found';
    },
    async apply(run) {
      await kubectl.run(['delete', 'namespace', name, '--ignore-not-found', '--wait=false'], run.signal);
      await waitUntilDeleted(name, { kubectl }, run);
    },
  };
}
