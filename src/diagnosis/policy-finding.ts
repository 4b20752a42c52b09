import { matches, type NetworkPolicy, type PolicyPeer } from '../tools/kubernetes/network-objects.ts';
import { findComponent, type Labels, type Pod } from '../tools/kubernetes/objects.ts';
import type { Snapshot } from './snapshot.ts';

/** Somebody who wants to reach a port of somebody else. */
export interface Connection {
  readonly from: Pod;
  readonly to: Pod;
  /** Of the pod. */
  readonly port: number;
}

type Side = 'Ingress' | 'Egress';

/**
 * The NetworkPolicies that forbid a connection; none when it is allowed. Whether anything in the cluster enforces them
 * is not known here: they explain a connection that fails, and nothing else.
 */
export function listForbidding(snapshot: Snapshot, connection: Connection): readonly string[] {
  return [...listOfSide(snapshot, 'Egress', connection), ...listOfSide(snapshot, 'Ingress', connection)];
}

/** Where policies select a pod for a side, one of their rules must allow what comes or goes. */
function listOfSide(snapshot: Snapshot, side: Side, { from, to, port }: Connection): readonly string[] {
  const [own, other] = side === 'Egress' ? [from, to] : [to, from];
  const policies = snapshot
    .list('NetworkPolicy')
    .filter(({ metadata }) => metadata.namespace === own.metadata.namespace)
    .filter(({ spec }) => isOfSide(spec, side) && matches(spec.podSelector ?? {}, own.metadata.labels));
  const isAllowed = policies.some((policy) =>
    toRules(policy, side).some(
      ({ peers, ports }) =>
        (peers.length === 0 || peers.some((peer) => isPeer(policy, peer, other))) &&
        (ports.length === 0 || ports.some((each) => isPort(each, port, to))),
    ),
  );
  return isAllowed ? [] : policies.map(({ metadata }) => metadata.name);
}

/** Without a word on it, a policy is about what comes in, and about what goes out where it has rules for that. */
function isOfSide({ policyTypes, egress }: NetworkPolicy['spec'], side: Side): boolean {
  if (policyTypes) return policyTypes.includes(side);
  return side === 'Ingress' || egress !== undefined;
}

function toRules({ spec: { ingress = [], egress = [] } }: NetworkPolicy, side: Side) {
  return side === 'Ingress'
    ? ingress.map(({ from = [], ports = [] }) => ({ peers: from, ports }))
    : egress.map(({ to = [], ports = [] }) => ({ peers: to, ports }));
}

function isPeer({ metadata }: NetworkPolicy, peer: PolicyPeer, { metadata: other }: Pod): boolean {
  // A range of addresses is not looked into: what it allows is not known to be forbidden.
  if (peer.ipBlock) return true;
  const namespace: Labels = { 'kubernetes.io/metadata.name': other.namespace ?? '' };
  const isInNamespace = peer.namespaceSelector
    ? matches(peer.namespaceSelector, namespace)
    : other.namespace === metadata.namespace;
  return isInNamespace && matches(peer.podSelector ?? {}, other.labels);
}

function isPort(
  { port, endPort, protocol = 'TCP' }: { port?: number | string; endPort?: number; protocol?: string },
  wanted: number,
  to: Pod,
): boolean {
  if (protocol !== 'TCP' && findComponent(to) !== undefined) return false;
  if (port === undefined) return true;
  if (typeof port === 'number') return wanted >= port && wanted <= (endPort ?? port);
  const ports = to.spec.containers.flatMap((container) => container.ports ?? []);
  return ports.some(({ name, containerPort }) => name === port && containerPort === wanted);
}
