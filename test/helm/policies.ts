import type { Manifest } from './manifests.ts';

/** A pod, as a policy sees it. */
export interface Party {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of a party that is no pod of the cluster. */
  readonly address?: string;
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
}

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

interface Port {
  readonly protocol: string;
  readonly port: number;
}

interface PolicySpec {
  readonly podSelector: Selector;
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly { readonly from?: readonly Peer[]; readonly ports?: readonly Port[] }[];
  readonly egress?: readonly { readonly to?: readonly Peer[]; readonly ports?: readonly Port[] }[];
}

/**
 * Whether a network that enforces the policies of one namespace lets a connection through, as Kubernetes defines it: a
 * pod that no policy selects is open, any other only to what one of them allows; both ends have to agree.
 */
export function lets(
  policies: readonly Manifest[],
  namespace: string,
  from: Party,
  to: Party,
  port: Port,
): boolean {
  const specs = policies.map(({ spec }) => spec as PolicySpec);
  const applying = (type: string, pod: Party) =>
    pod.namespace === namespace
      ? specs.filter(
          ({ policyTypes, podSelector }) => policyTypes.includes(type) && selects(podSelector, pod.labels),
        )
      : [];
  const outgoing = applying('Egress', from);
  const incoming = applying('Ingress', to);
  const allows = (peers: readonly Peer[] | undefined, ports: readonly Port[] | undefined, other: Party) =>
    (!peers || peers.some((peer) => isPeer(peer, other, namespace))) &&
    (!ports || ports.some((each) => each.port === port.port && each.protocol === port.protocol));
  return (
    (outgoing.length === 0 ||
      outgoing.some(({ egress = [] }) => egress.some((rule) => allows(rule.to, rule.ports, to)))) &&
    (incoming.length === 0 ||
      incoming.some(({ ingress = [] }) => ingress.some((rule) => allows(rule.from, rule.ports, from))))
  );
}

function isPeer({ podSelector, namespaceSelector, ipBlock }: Peer, other: Party, namespace: string): boolean {
  if (ipBlock) {
    const address = other.address;
    return (
      address !== undefined &&
      isIn(address, ipBlock.cidr) &&
      !(ipBlock.except ?? []).some((cidr) => isIn(address, cidr))
    );
  }
  if (other.address !== undefined) return false;
  const isThere = namespaceSelector
    ? selects(namespaceSelector, { 'kubernetes.io/metadata.name': other.namespace })
    : other.namespace === namespace;
  return isThere && (!podSelector || selects(podSelector, other.labels));
}

function selects({ matchLabels = {} }: Selector, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
}

/** IPv4 only: no address of the tests is another. */
function isIn(address: string, cidr: string): boolean {
  const [network = '', bits = '0'] = cidr.split('/');
  if (network.includes(':')) return false;
  const mask = Number(bits) === 0 ? 0 : (~0 << (32 - Number(bits))) >>> 0;
  return (toNumber(address) & mask) >>> 0 === (toNumber(network) & mask) >>> 0;
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
