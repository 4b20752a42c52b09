import type { Step } from '../lib/plan.ts';
import type { Kubectl } from '../tools/kubectl.ts';

/** Seconds until all that a namespace holds must have ended. */
const patience = 120;

/** A namespace is gone with all that is in it; the folders of its volumes stay. */
export function deleteNamespace(kubectl: Kubectl, name: string): Step {
  return {
    title: `delete namespace ${name}`,
    async isDone({ signal }) {
      const found = await kubectl.run(['get', 'namespace', name, '--ignore-not-found', '-o', 'name'], signal);
      return found.trim() === '' && 'not there';
    },
    async apply({ signal }) {
      const options = ['--ignore-not-found', '--wait', `--timeout=${patience}s`];
      await kubectl.run(['delete', 'namespace', name, ...options], signal);
    },
  };
}
