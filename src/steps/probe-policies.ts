import {
  findClusterId,
  findDenied,
  findPolicies,
  findPolicyRecord,
  type PolicyRecord,
  type PolicyState,
  probe,
  toPolicyFile,
  toPolicyState,
} from '../cluster/network-policies.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import type { Step } from '../plan/plan.ts';
import { writeFileAtomically } from '../state/atomic-file.ts';
import type { Paths } from '../state/paths.ts';
import type { DockerCli } from '../tools/docker/cli.ts';

export interface ProbeDeps {
  readonly snapshots: Snapshots;
  readonly dockerCli: Pick<DockerCli, 'exec'>;
  readonly paths: Pick<Paths, 'state'>;
  readonly namespace: string;
}

/** Title of the step below. */
export const probeTitle = 'network policies probed';

/**
 * Finds out whether this cluster's network enforces the namespace's NetworkPolicies, by a connection that they deny.
 * While no such pair of pods is ready, that is left to the next run: a cluster works without enforcement too.
 */
export function probePolicies(deps: ProbeDeps): Step {
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
      report('testing a denied connection');
      await probeNow(deps, signal);
    },
  };
}

/** Tests a denied connection now, whatever the last probe found, and records the result. */
export async function probeNow(
  { snapshots, dockerCli, paths, namespace }: ProbeDeps,
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
  const record: PolicyRecord = { cluster, policies, enforced: found === 'enforced', at: Date.now() };
  await writeFileAtomically(toPolicyFile(paths), `${JSON.stringify(record)}\n`);
  return found;
}
