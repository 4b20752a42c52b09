import { definitions } from '../../images/argocd/release.ts';
import type { Step } from '../plan/plan.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';

const kind = 'applications.argoproj.io';

/**
 * Argo CD's Applications and their resource definitions are deleted. Argo CD no longer runs to process the Applications'
 * finalizers, so these are removed; what it deployed is deleted with its namespace.
 */
export function removeApplications(kubectl: Kubectl, namespace: string): Step {
  const names = definitions.map(({ name }) => `crd/${name}`);
  const find = (which: readonly string[], signal: AbortSignal) =>
    kubectl.run(['get', ...which, '--ignore-not-found', '--output=name'], signal);

  return {
    title: 'remove applications and their definitions',
    async isDone({ signal }) {
      return (await find(names, signal)).trim() === '' && 'not found';
    },
    async apply({ signal }) {
      // An interrupted run may have deleted the resource definition already, and then `kubectl get` fails.
      const isKnown = (await find([`crd/${kind}`], signal)).trim() !== '';
      const all = ['get', kind, `--namespace=${namespace}`, '--output=name'];
      const applications = isKnown ? (await kubectl.run(all, signal)).split('\n').filter(Boolean) : [];
      const patch = ['--type=merge', '--patch={"metadata":{"finalizers":null}}'];
      for (const application of applications) {
        await kubectl.run(['patch', application, `--namespace=${namespace}`, ...patch], signal);
      }
      await kubectl.run(['delete', ...names, '--ignore-not-found', '--wait', '--timeout=15s'], signal);
    },
  };
}
