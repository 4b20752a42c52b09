import { parseAllDocuments, type Tags } from 'yaml';

/** An object as a chart renders it, or as the API server has it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [key: string]: unknown;
}

/** Parses helm's output. @throws {Error} on invalid YAML, a duplicate key, or what is not a Kubernetes object. */
export function parseManifests(text: string): readonly Manifest[] {
  const documents = parseAllDocuments(text, { version: '1.1', customTags: asKubernetes });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem) throw problem;
    const value: unknown = document.toJS();
    if (value === null) return [];
    if (!isManifest(value)) throw new Error(`not a Kubernetes object: ${String(document).slice(0, 60)}`);
    return [value];
  });
}

/**
 * Kubernetes and Helm read YAML 1.1, where `0644` is octal and `on` is a boolean, but neither its dates nor its numbers of
 * base 60 (sigs.k8s.io/yaml).
 */
function asKubernetes(tags: Tags): Tags {
  return tags.filter((tag) => {
    if (typeof tag === 'string') return !/time/i.test(tag);
    return !tag.tag.endsWith(':timestamp') && !('format' in tag && tag.format === 'TIME');
  });
}

function isManifest(value: unknown): value is Manifest {
  const { apiVersion, kind, metadata } = value as Partial<Manifest>;
  return typeof apiVersion === 'string' && typeof kind === 'string' && typeof metadata?.name === 'string';
}

/** Identifies an object, without the version of its API, which may change for the same object. */
export function toKey({ apiVersion, kind, metadata }: Manifest, namespace: string): string {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  return [group, kind, metadata.namespace ?? namespace, metadata.name].join('/');
}

/** `Deployment auth-service` */
export function toTitle({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name}`;
}

/** Replaces a secret's value. Not base64, so that a masked Secret cannot be applied by mistake. */
export const mask = '***';

/** Masks the values of a Secret; their keys stay. */
export function withoutSecrets(manifest: Manifest): Manifest {
  if (manifest.kind !== 'Secret') return manifest;
  const masked = (['data', 'stringData'] as const).flatMap((field) => {
    const values = manifest[field];
    return typeof values === 'object' && values !== null
      ? [[field, Object.fromEntries(Object.keys(values).map((key) => [key, mask]))]]
      : [];
  });
  return { ...manifest, ...Object.fromEntries(masked) };
}

export interface PodSpec {
  readonly containers?: readonly ManifestContainer[];
  readonly initContainers?: readonly ManifestContainer[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
}

export interface ManifestContainer {
  readonly name: string;
  readonly image?: string;
  readonly restartPolicy?: string;
  readonly resources?: { readonly requests?: Readonly<Record<string, string | number>> };
  readonly env?: readonly {
    readonly valueFrom?: { readonly secretKeyRef?: Reference; readonly configMapKeyRef?: Reference };
  }[];
  readonly envFrom?: readonly { readonly secretRef?: Reference; readonly configMapRef?: Reference }[];
}

interface Reference {
  readonly name: string;
  readonly key?: string;
  readonly optional?: boolean;
}

const workloadKinds = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job']);

/** The pod template's spec of a workload; undefined for any other object. */
export function findPodSpec({ kind, spec }: Manifest): PodSpec | undefined {
  if (!workloadKinds.has(kind)) return undefined;
  return (spec as { readonly template?: { readonly spec?: PodSpec } } | undefined)?.template?.spec;
}
