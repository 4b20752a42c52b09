import { waitUntilReady } from '../diagnosis/ready.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import type { Step } from '../plan/plan.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';

export interface RestartDeps {
  readonly kubectl: Kubectl;
  readonly snapshots: Snapshots;
  readonly namespace: string;
}

/** Milliseconds that new pods have. */
const readyTimeout = 120_000;

/** The service's pods are new ones, which have seen nothing of what was before. */
export function restartService({ kubectl, snapshots, namespace }: RestartDeps, name: string): Step {
  return {
    title: `restart ${name}`,
    async apply(run) {
      await kubectl.run(['rollout', 'restart', `--namespace=${namespace}`, `deployment/${name}`], run.signal);
      const workload = { kind: 'Deployment', name, namespace } as const;
      await waitUntilReady(workload, { kubectl, snapshots, timeout: readyTimeout, interval: 300, run });
    },
  };
}
