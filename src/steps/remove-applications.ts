import { definitions } from '../../images/argocd/release.ts';
import type { Step } from '../lib/plan.ts';
import type { Kubectl } from '../tools/kubectl.ts';

/**
 * Argo CD's Applications and their kinds are gone. Nobody is left who would do what their finalizers ask for: what they
 * deployed goes with its namespace.
 */
export function removeApplications(kubectl: Kubectl, namespace: string): Step {
  const names = definitions.map(({ name }) => `crd/${name}`);

  return {
    title: 'remove applications and their definitions',
    async isDone({ signal }) {
      const found = await kubectl.run(['get', ...names, '--ignore-not-found', '--output=name'], signal);
      return found.trim() === '' && 'not there';
    },
    async apply({ signal }) {
      const all = ['get', 'applications.argoproj.io', `--namespace=${namespace}`, '--output=name'];
      const applications = (await kubectl.run(all, signal)).split('\n').filter(Boolean);
      const patch = ['--type=merge', '--patch={"metadata":{"finalizers":null}}'];
      for (const application of applications) {
        await kubectl.run(['patch', application, `--namespace=${namespace}`, ...patch], signal);
      }
      await kubectl.run(['delete', ...names, '--ignore-not-found', '--wait', '--timeout=15s'], signal);
    },
  };
}
