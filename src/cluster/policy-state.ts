import type { Snapshot } from '../diagnosis/snapshot.ts';
import type { PolicyRecord } from '../state/policy-record.ts';
import { findPolicies } from './policy-probe.ts';

/** What is known of a namespace's NetworkPolicies. */
export interface PolicyState {
  /** none: there are no policies. not probed: there are, and whether they hold is not known. */
  readonly state: 'none' | 'not probed' | 'enforced' | 'not enforced';
  /** Milliseconds since the epoch; when that was probed. */
  readonly at?: number;
}

/** As the last probe found it, if it was about this cluster and these policies. */
export function toPolicyState(
  snapshot: Snapshot,
  namespace: string,
  record: PolicyRecord | undefined,
): PolicyState {
  const policies = findPolicies(snapshot, namespace);
  if (policies === undefined) return { state: 'none' };
  const isCurrent = record?.cluster === findClusterId(snapshot) && record?.policies === policies;
  if (!record || !isCurrent) return { state: 'not probed' };
  return { state: record.enforced ? 'enforced' : 'not enforced', at: record.at };
}

/** The UID of the control plane's node; undefined while there is none. */
export function findClusterId(snapshot: Snapshot): string | undefined {
  const label = 'node-role.kubernetes.io/control-plane';
  return snapshot.list('Node').find(({ metadata }) => metadata.labels?.[label] !== undefined)?.metadata.uid;
}
