import { definitions } from '../../images/argocd/release.ts';
import type { Step } from '../plan/plan.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';

const kind = 'applications.argoproj.io';

/**
 * Argo CD's Applications and their kinds are gone. Nobody is left who would do what their finalizers ask for: what they
 * deployed goes with its namespace.
 */
export function removeApplications(kubectl: Kubectl, namespace: string): Step {
  const names = definitions.map(({ name }) => `crd/${name}`);
  const find = (which: readonly string[], signal: AbortSignal) =>
    kubectl.run(['get', ...which, '--ignore-not-found', '--output=name'], signal);

  return {
    title: 'remove applications and their definitions',
    async isDone({ signal }) {
      return (await find(names, signal)).trim() === '' && 'not there';
    },
    async apply({ signal }) {
      // Without their kind, as a run leaves it that was broken off, even the question is refused.
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
