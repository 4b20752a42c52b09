import { waitUntilReady } from '../diagnosis/ready.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import type { Step } from '../plan/plan.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';

export interface RestartDeps {
  readonly kubectl: Kubectl;
  readonly snapshots: Snapshots;
  readonly namespace: string;
}

/** Milliseconds without progress of the new pods until the wait gives up. */
const stallTimeout = 120_000;

/** The service's pods are replaced by new ones, which have no connections to replaced databases. */
export function restartService({ kubectl, snapshots, namespace }: RestartDeps, name: string): Step {
  return {
    title: `restart ${name}`,
    async apply(run) {
      await kubectl.run(['rollout', 'restart', `--namespace=${namespace}`, `deployment/${name}`], run.signal);
      const workload = { kind: 'Deployment', name, namespace } as const;
      await waitUntilReady(workload, { kubectl, snapshots, stallTimeout, interval: 300, run });
    },
  };
}
