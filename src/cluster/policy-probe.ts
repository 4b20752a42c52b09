import { listForbidding } from '../diagnosis/policy-finding.ts';
import type { Snapshot } from '../diagnosis/snapshot.ts';
import { CommandFailure } from '../lib/failure.ts';
import { hashContent } from '../lib/hash.ts';
import type { DockerCli } from '../tools/docker/cli.ts';
import { findComponent, isPodReady, type Pod } from '../tools/kubernetes/objects.ts';

/** What became of a connection that the NetworkPolicies deny. */
export type Enforcement = 'enforced' | 'not enforced';

/** One end of a connection, on the node where its pod runs. */
interface End {
  readonly name: string;
  readonly node: string;
  readonly address: string;
}

/** A connection that policies forbid, between pods that are ready. */
export interface Denied {
  readonly from: End;
  readonly to: End & { readonly port: number };
}

/** Seconds that a connection has to be made. */
const timeout = 1;

/** Connects to address `$0`, port `$1`; ends with 0 when somebody answered. */
const connect = `timeout ${timeout} bash -c 'exec 3<>"/dev/tcp/$0/$1"'`;

/** The same in the network namespace of the pod with address `$2`; ends with 3 when there is none. */
const connectFromPod = `
for space in /run/netns/*; do
  nsenter --net="$space" ip -4 -oneline address show | grep -qF "inet $2/" || continue
  exec nsenter --net="$space" ${connect} "$0" "$1"
done
exit 3
`;

/** Which policies the namespace has: the same text for the same ones; undefined without any. */
export function findPolicies(snapshot: Snapshot, namespace: string): string | undefined {
  const policies = snapshot.list('NetworkPolicy').filter(({ metadata }) => metadata.namespace === namespace);
  if (policies.length === 0) return undefined;
  const names = policies.map(({ metadata }) => `${metadata.name} ${metadata.uid}`).sort();
  return hashContent(names.join('\n')).slice(0, 16);
}

/** A connection between parts that a policy of the namespace forbids; undefined while no such pair is ready. */
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
  const forbidden = connections.find((connection) => listForbidding(snapshot, connection).length > 0);
  if (!forbidden) return undefined;
  const [from, to] = [toEnd(forbidden.from), toEnd(forbidden.to)];
  return from && to && { from, to: { ...to, port: forbidden.port } };
}

/**
 * Tries the connection. Undefined when nothing can be told: the target does not answer its own node either, which
 * every policy allows, or the pod has gone meanwhile.
 */
export async function probe(
  { from, to }: Denied,
  docker: Pick<DockerCli, 'exec'>,
  signal: AbortSignal,
): Promise<Enforcement | undefined> {
  const target = [to.address, String(to.port)];
  const [own, denied] = await Promise.all([
    ask(to.node, ['bash', '-c', `${connect} "$0" "$1"`, ...target]),
    ask(from.node, ['bash', '-c', connectFromPod, ...target, from.address]),
  ]);
  if (own !== 0 || denied === noSuchPod) return undefined;
  return denied === 0 ? 'not enforced' : 'enforced';

  /** The exit code of a program on a node. */
  async function ask(node: string, argv: readonly string[]): Promise<number | undefined> {
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

const noSuchPod = 3;

function toEnd({ metadata, spec, status }: Pod): End | undefined {
  if (spec.nodeName === undefined || status.podIP === undefined) return undefined;
  return { name: metadata.name, node: spec.nodeName, address: status.podIP };
}
