import {
  containersOf,
  decode,
  listIngresses,
  listServices,
  listWorkloads,
  type Manifest,
  type PodSpec,
} from './manifests.ts';

/** Something that an object names and that has to be there. */
export interface Reference {
  readonly kind: string;
  readonly name: string;
  /** Of a ConfigMap or Secret. */
  readonly key?: string | undefined;
}

/**
 * What the objects of an environment name and neither hold nor declare as existing outside, as
 * `board-service: Secret board-service-secret DATABASE_URL`.
 */
export function listDangling(
  manifests: readonly Manifest[],
  outside: readonly Reference[],
): readonly string[] {
  return manifests.flatMap((manifest) =>
    listReferences(manifest, manifests)
      .filter((reference) => !isThere(reference, manifests, outside))
      .map(
        ({ kind, name, key }) =>
          `${manifest.metadata.name}: ${kind} ${name}${key === undefined ? '' : ` ${key}`}`,
      ),
  );
}

function isThere(
  { kind, name, key }: Reference,
  manifests: readonly Manifest[],
  outside: readonly Reference[],
): boolean {
  const declared = outside.some(
    (other) => other.kind === kind && other.name === name && (key === undefined || other.key === key),
  );
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  return declared || (found !== undefined && (key === undefined || found.data?.[key] !== undefined));
}

function listReferences(manifest: Manifest, all: readonly Manifest[]): readonly Reference[] {
  const { kind, metadata } = manifest;
  const spec = (manifest.spec ?? {}) as { readonly [key: string]: never };
  if (kind === 'Ingress') return listIngresses([manifest]).flatMap(({ spec }) => referencesOfRoutes(spec));
  if (kind === 'HorizontalPodAutoscaler') return [spec.scaleTargetRef as unknown as Reference];
  if (kind === 'PodDisruptionBudget') return selected(metadata.name, spec.selector, all);
  if (kind === 'NetworkPolicy') return referencesOfPolicy(spec, all);
  if (kind === 'RoleBinding' || kind === 'ClusterRoleBinding') {
    return [(manifest as Manifest & { readonly roleRef: Reference }).roleRef];
  }
  if (kind === 'ConfigMap') return Object.values(manifest.data ?? {}).flatMap(referencesOfAddress);
  if (kind === 'Secret') return Object.values(decode(manifest)).flatMap(referencesOfAddress);
  return listWorkloads([manifest]).flatMap(({ spec }) => referencesOfPod(spec.template.spec));
}

function referencesOfRoutes({ rules, tls = [] }: ReturnType<typeof listIngresses>[number]['spec']) {
  const services = rules.flatMap(({ http }) =>
    http.paths.map(({ backend: { service } }) => ({ kind: 'Service', name: service.name })),
  );
  return [...services, ...tls.map(({ secretName }) => ({ kind: 'Secret', name: secretName }))];
}

function referencesOfPod(pod: PodSpec): readonly Reference[] {
  const accounts = pod.serviceAccountName ? [{ kind: 'ServiceAccount', name: pod.serviceAccountName }] : [];
  return [...containersOf(pod).flatMap(referencesOfContainer), ...referencesOfVolumes(pod), ...accounts];
}

function referencesOfContainer({
  envFrom = [],
  env = [],
}: ReturnType<typeof containersOf>[number]): readonly Reference[] {
  const sources = [...envFrom, ...env.map(({ valueFrom }) => valueFrom ?? {})].flatMap((source) =>
    Object.entries(source).map(([type, reference]) => ({
      kind: type.startsWith('secret') ? 'Secret' : 'ConfigMap',
      ...(reference as { name: string; key?: string }),
    })),
  );
  // What the kubelet fills in comes from the shared Secret.
  const filledIn = env.flatMap(({ value = '' }) =>
    [...value.matchAll(/\$\((\w+)\)/g)].map(([, key]) => ({
      kind: 'Secret',
      name: 'wealist-shared-secret',
      key,
    })),
  );
  return [...sources, ...filledIn, ...env.flatMap(({ value = '' }) => referencesOfAddress(value))];
}

function referencesOfVolumes({ volumes = [] }: PodSpec): readonly Reference[] {
  return volumes.flatMap((volume) => {
    const { configMap, secret } = volume as {
      readonly configMap?: { readonly name: string };
      readonly secret?: { readonly secretName: string };
    };
    return [
      ...(configMap ? [{ kind: 'ConfigMap', name: configMap.name }] : []),
      ...(secret ? [{ kind: 'Secret', name: secret.secretName }] : []),
    ];
  });
}

/** Services that an address of this cluster names: a host of one word, which no other network knows. */
function referencesOfAddress(text: string): readonly Reference[] {
  const [, host] = /^[a-z]+:\/\/(?:[^@/]*@)?([a-z0-9-]+):\d+(?:[/?]|$)/.exec(text) ?? [];
  return host === undefined || host === 'localhost' ? [] : [{ kind: 'Service', name: host }];
}

/** A selector's pods: a reference to what is not there when it matches none. */
function selected(name: string, selector: unknown, all: readonly Manifest[]): readonly Reference[] {
  const labels = (selector as { matchLabels?: Readonly<Record<string, string>> }).matchLabels ?? {};
  const matches = listWorkloads(all).some(({ spec }) =>
    Object.entries(labels).every(([key, value]) => spec.template.metadata.labels?.[key] === value),
  );
  return matches ? [] : [{ kind: 'pods', name: labels.app ?? name }];
}

interface Peer {
  readonly podSelector?: object;
  readonly namespaceSelector?: object;
}

function referencesOfPolicy(
  spec: { readonly [key: string]: unknown },
  all: readonly Manifest[],
): readonly Reference[] {
  const {
    podSelector,
    egress = [],
    ingress = [],
  } = spec as {
    readonly podSelector: { readonly matchLabels?: object };
    readonly egress?: readonly { readonly to?: readonly Peer[] }[];
    readonly ingress?: readonly { readonly from?: readonly Peer[] }[];
  };
  const peers = [...egress.flatMap(({ to = [] }) => to), ...ingress.flatMap(({ from = [] }) => from)];
  const selectors = [
    podSelector,
    ...peers.flatMap(({ podSelector, namespaceSelector }) =>
      podSelector && !namespaceSelector ? [podSelector] : [],
    ),
  ];
  return selectors.flatMap((selector) => selected('', selector, all));
}

/** Every Service's name and port. */
export function portsOf(manifests: readonly Manifest[]): ReadonlyMap<string, number | undefined> {
  return new Map(listServices(manifests).map(({ metadata, spec }) => [metadata.name, spec.ports[0]?.port]));
}
