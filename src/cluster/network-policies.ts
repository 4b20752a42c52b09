import { join } from 'node:path';
import { isOfAgent } from '../diagnosis/intercept.ts';
import { listDenyingPolicies } from '../diagnosis/policy-finding.ts';
import type { Snapshot } from '../diagnosis/snapshot.ts';
import { CommandFailure } from '../lib/failure.ts';
import { hashContent } from '../lib/hash.ts';
import { readOrSetAside } from '../state/atomic-file.ts';
import type { Paths } from '../state/paths.ts';
import type { DockerCli } from '../tools/docker/cli.ts';
import { findComponent, isPodReady, type Pod } from '../tools/kubernetes/objects.ts';

/** Result of a connection that the NetworkPolicies deny. */
export type Enforcement = 'enforced' | 'not enforced';

/** What is known of a namespace's NetworkPolicies. */
export interface PolicyState {
  /** none: the namespace has no policies. not probed: no current probe says whether they are enforced. */
  readonly state: 'none' | 'not probed' | Enforcement;
  /** Time of the probe in milliseconds since the epoch. */
  readonly at?: number;
}

/** Result of the last probe, as it is stored. */
export interface PolicyRecord {
  /** UID of the control plane's node: the record is about this cluster only. */
  readonly cluster: string;
  /** Which policies the namespace had, as `findPolicies` names them. */
  readonly policies: string;
  readonly enforced: boolean;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** One end of a connection, on the node where its pod runs. */
interface End {
  readonly name: string;
  readonly node: string;
  readonly address: string;
}

/** A connection that policies deny, between pods that are ready. */
export interface Denied {
  readonly from: End;
  readonly to: End & { readonly port: number };
}

/** Seconds until a connection attempt counts as denied. */
const timeout = 1;

/** Connects to address `$0`, port `$1`; exits with 0 when the connection was accepted. */
const connect = `timeout ${timeout} bash -c 'exec 3<>"/dev/tcp/$0/$1"'`;

/** Exit code of `connectFromPod` when no pod on the node has the address. */
const noSuchPod = 3;

/** The same in the network namespace of the pod with address `$2`. */
const connectFromPod = `
for space in /run/netns/*; do
  nsenter --net="$space" ip -4 -oneline address show | grep -qF "inet $2/" || continue
  exec nsenter --net="$space" ${connect} "$0" "$1"
done
exit ${noSuchPod}
`;

/** Identifies the namespace's set of policies: equal for equal sets; undefined without any. */
export function findPolicies(snapshot: Snapshot, namespace: string): string | undefined {
  const policies = snapshot
    .list('NetworkPolicy')
    // An agent comes and goes, and its policy denies nothing.
    .filter((policy) => policy.metadata.namespace === namespace && !isOfAgent(policy));
  if (policies.length === 0) return undefined;
  const names = policies.map(({ metadata }) => `${metadata.name} ${metadata.uid}`).sort();
  return hashContent(names.join('\n')).slice(0, 16);
}

/** The UID of the control plane's node; undefined while the snapshot has no such node. */
export function findClusterId(snapshot: Snapshot): string | undefined {
  const label = 'node-role.kubernetes.io/control-plane';
  return snapshot.list('Node').find(({ metadata }) => metadata.labels?.[label] !== undefined)?.metadata.uid;
}

/** A connection between components that a policy of the namespace denies; undefined while no such pair is ready. */
export function findDenied(snapshot: Snapshot, namespace: string): Denied | undefined {
  const ready = snapshot
    .list('Pod')
    .filter(
      (pod) => pod.metadata.namespace === namespace && isPodReady(pod) && !pod.metadata.deletionTimestamp,
    )
    .filter((pod) => findComponent(pod) !== undefined);
  const connections = ready.flatMap((from) =>
    ready.flatMap((to) => {
      const port = to.spec.containers[0]?.ports?.[0]?.containerPort;
      return from === to || port === undefined ? [] : [{ from, to, port }];
    }),
  );
  const denied = connections.find((connection) => listDenyingPolicies(snapshot, connection).length > 0);
  if (!denied) return undefined;
  const [from, to] = [toEnd(denied.from), toEnd(denied.to)];
  return from && to && { from, to: { ...to, port: denied.port } };
}

function toEnd({ metadata, spec, status }: Pod): End | undefined {
  if (spec.nodeName === undefined || status.podIP === undefined) return undefined;
  return { name: metadata.name, node: spec.nodeName, address: status.podIP };
}

/**
 * Attempts the connection. Undefined when the result says nothing about the policies: the target does not accept
 * connections from its own node either, which every policy allows, or the source pod no longer exists.
 */
export async function probe(
  { from, to }: Denied,
  docker: Pick<DockerCli, 'exec'>,
  signal: AbortSignal,
): Promise<Enforcement | undefined> {
  const target = [to.address, String(to.port)];
  const [own, denied] = await Promise.all([
    findExitCode(to.node, ['bash', '-c', `${connect} "$0" "$1"`, ...target]),
    findExitCode(from.node, ['bash', '-c', connectFromPod, ...target, from.address]),
  ]);
  if (own !== 0 || denied === noSuchPod) return undefined;
  return denied === 0 ? 'not enforced' : 'enforced';

  /** The exit code of a program on a node; undefined when it was ended by a signal. */
  async function findExitCode(node: string, argv: readonly string[]): Promise<number | undefined> {
    try {
      await docker.exec(node, argv, { signal });
      return 0;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CommandFailure) return error.status;
      throw error;
    }
  }
}

/** The result of the last probe, if it was about this cluster and these policies. */
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

/** The record of the last probe; a damaged file is renamed to `.bad` and counts as missing. */
export async function findPolicyRecord(paths: Pick<Paths, 'state'>): Promise<PolicyRecord | undefined> {
  return readOrSetAside(toPolicyFile(paths), (text) => {
    const { cluster, policies, enforced, at }: PolicyRecord = JSON.parse(text);
    const isRecord = typeof cluster === 'string' && typeof policies === 'string' && Number.isFinite(at);
    if (!isRecord || typeof enforced !== 'boolean') throw new Error('not a record of a probe');
    return { cluster, policies, enforced, at };
  });
}

/** The file of that record, which the step that probes writes. */
export function toPolicyFile({ state }: Pick<Paths, 'state'>): string {
  return join(state, 'network-policies.json');
}
