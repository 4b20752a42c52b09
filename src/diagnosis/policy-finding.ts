import { matches, type NetworkPolicy, type PolicyPeer } from '../tools/kubernetes/network-objects.ts';
import { findComponent, type Labels, type Pod } from '../tools/kubernetes/objects.ts';
import type { Snapshot } from './snapshot.ts';

/** A connection from one pod to a port of another. */
export interface Connection {
  readonly from: Pod;
  readonly to: Pod;
  /** Port of the target pod. */
  readonly port: number;
}

type Side = 'Ingress' | 'Egress';

/**
 * Names of the NetworkPolicies that deny a connection; empty when it is allowed. Whether the cluster enforces them is
 * not known here, so they only explain a connection that fails.
 */
export function listDenyingPolicies(snapshot: Snapshot, connection: Connection): readonly string[] {
  return [...listOfSide(snapshot, 'Egress', connection), ...listOfSide(snapshot, 'Ingress', connection)];
}

/** Once a policy selects a pod for ingress or egress, one rule of its policies must allow the connection. */
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

/** Default of `policyTypes`: always Ingress, and Egress where the policy has egress rules. */
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
  // Address ranges are not evaluated, so a connection that one might allow is not reported as denied.
  if (peer.ipBlock) return true;
  const namespaceLabels: Labels = { 'kubernetes.io/metadata.name': other.namespace ?? '' };
  const isInNamespace = peer.namespaceSelector
    ? matches(peer.namespaceSelector, namespaceLabels)
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
