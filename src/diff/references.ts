import { findPodSpec, type Manifest } from './manifest.ts';

/** A Secret or ConfigMap that pods read and the manifests do not contain: it must already exist in the cluster. */
export interface OutsideReference {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly name: string;
  /** The keys that are read individually. */
  readonly keys: readonly string[];
}

/** The Secrets and ConfigMaps that pods of these manifests read and the manifests do not contain. */
export function listOutsideReferences(manifests: readonly Manifest[]): readonly OutsideReference[] {
  const contained = new Set(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
  const found = new Map<string, { kind: OutsideReference['kind']; name: string; keys: Set<string> }>();
  for (const manifest of manifests) {
    for (const { kind, name, key } of listReferences(manifest)) {
      const title = `${kind} ${name}`;
      if (contained.has(title)) continue;
      const entry = found.get(title) ?? { kind, name, keys: new Set() };
      if (key !== undefined) entry.keys.add(key);
      found.set(title, entry);
    }
  }
  return [...found.values()].map(({ keys, ...reference }) => ({ ...reference, keys: [...keys].toSorted() }));
}

interface Named {
  readonly kind: OutsideReference['kind'];
  readonly name: string;
  readonly key?: string | undefined;
}

function listReferences(manifest: Manifest): readonly Named[] {
  const pod = findPodSpec(manifest);
  if (!pod) return [];
  const containers = [...(pod.containers ?? []), ...(pod.initContainers ?? [])];
  const sources = containers.flatMap(({ env = [], envFrom = [] }) => [
    ...envFrom,
    ...env.flatMap(({ valueFrom }) => (valueFrom ? [valueFrom] : [])),
  ]);
  const variables = sources.flatMap((source) =>
    Object.entries(source).flatMap(([type, reference]): readonly Named[] => {
      const kind = { secret: 'Secret', configMap: 'ConfigMap' }[type.replace(/(Key)?Ref$/, '')];
      const isNeeded = typeof reference?.name === 'string' && reference.optional !== true;
      return kind !== undefined && isNeeded
        ? [{ kind: kind as Named['kind'], name: reference.name, key: reference.key }]
        : [];
    }),
  );
  const volumes = (pod.volumes ?? []).flatMap((volume): readonly Named[] => {
    const { secret, configMap } = volume as {
      readonly secret?: { readonly secretName?: string; readonly optional?: boolean };
      readonly configMap?: { readonly name?: string; readonly optional?: boolean };
    };
    return [
      ...(secret?.secretName && !secret.optional
        ? [{ kind: 'Secret' as const, name: secret.secretName }]
        : []),
      ...(configMap?.name && !configMap.optional
        ? [{ kind: 'ConfigMap' as const, name: configMap.name }]
        : []),
    ];
  });
  return [...variables, ...volumes];
}
