import type { Snapshots } from '../diagnosis/snapshot.ts';
import type { Paths } from '../state/paths.ts';
import { writePolicyRecord } from '../state/policy-record.ts';
import type { DockerCli } from '../tools/docker/cli.ts';
import { findDenied, findPolicies, probe } from './policy-probe.ts';
import { findClusterId, type PolicyState } from './policy-state.ts';

export interface TrialDeps {
  readonly snapshots: Snapshots;
  readonly dockerCli: Pick<DockerCli, 'exec'>;
  readonly paths: Pick<Paths, 'state'>;
  readonly namespace: string;
}

/** Tries now whether the cluster's network enforces the namespace's policies, and notes it. */
export async function tryPolicies(
  { snapshots, dockerCli, paths, namespace }: TrialDeps,
  signal: AbortSignal,
): Promise<PolicyState['state']> {
  const snapshot = await snapshots.take(signal);
  const policies = findPolicies(snapshot, namespace);
  if (policies === undefined) return 'none';
  const cluster = findClusterId(snapshot);
  const denied = findDenied(snapshot, namespace);
  if (!denied || cluster === undefined) return 'not probed';
  const found = await probe(denied, dockerCli, signal);
  if (found === undefined) return 'not probed';
  await writePolicyRecord(paths, { cluster, policies, enforced: found === 'enforced', at: Date.now() });
  return found;
}
