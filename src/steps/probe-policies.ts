import { toPolicyState } from '../cluster/policy-state.ts';
import { type TrialDeps, tryPolicies } from '../cluster/policy-trial.ts';
import type { Step } from '../plan/plan.ts';
import { findPolicyRecord } from '../state/policy-record.ts';

/** Of the step below. */
export const probeTitle = 'network policies probed';

/**
 * It is known whether this cluster's network enforces the namespace's NetworkPolicies: a connection that they deny was
 * tried. Where nothing can be tried yet, the next run does; a cluster without enforcement works all the same.
 */
export function probePolicies(deps: TrialDeps): Step {
  const { snapshots, paths, namespace } = deps;
  return {
    title: probeTitle,
    async isDone({ signal }) {
      const [snapshot, record] = await Promise.all([
        snapshots.take(signal, { maxAge: 5_000 }),
        findPolicyRecord(paths),
      ]);
      const { state } = toPolicyState(snapshot, namespace, record);
      return state !== 'not probed' && state;
    },
    async apply({ signal, report }) {
      report('a connection that they deny is tried');
      await tryPolicies(deps, signal);
    },
  };
}
