import { type Manifest, mask } from './manifest.ts';

/** A field that has another value, or only one; values as JSON, so that "1" and 1 differ. */
export interface FieldChange {
  /** `spec.template.spec.containers[auth-service].image` */
  readonly path: string;
  /** Undefined where the field is new. */
  readonly before: string | undefined;
  /** Undefined where the field is gone. */
  readonly after: string | undefined;
}

type Fields = ReadonlyMap<string, string>;

/** What the API server and its controllers write, and no manifest. */
const serverSet =
  /^(status|metadata\.(managedFields|resourceVersion|uid|generation|creationTimestamp|selfLink|annotations\["(kubectl\.kubernetes\.io\/last-applied-configuration|deployment\.kubernetes\.io\/revision)"\]))(\.|\[|$)/;

/** By which of its keys Kubernetes knows an item of a list, in this order (its schema's x-kubernetes-list-map-keys). */
const itemKeys = ['name', 'mountPath', 'containerPort', 'port', 'ip', 'topologyKey', 'type', 'key'] as const;

/** Every field with its value. The items of a list are known by their key where they have one, so that order counts for nothing. */
export function toFields(object: object): Fields {
  const fields = new Map<string, string>();
  add('', object);
  return fields;

  function add(path: string, value: unknown): void {
    if (serverSet.test(path)) return;
    if (Array.isArray(value)) addList(path, value);
    else if (typeof value === 'object' && value !== null) addMap(path, value);
    else if (value !== undefined) fields.set(path, JSON.stringify(value));
  }

  function addMap(path: string, map: object): void {
    const entries = Object.entries(map);
    // An empty map says something where it stands: emptyDir, podSelector.
    if (entries.length === 0) fields.set(path, '{}');
    for (const [key, below] of entries) add(join(path, key), below);
  }

  function addList(path: string, items: readonly unknown[]): void {
    const isPlain = items.every((item) => typeof item !== 'object' || item === null);
    if (isPlain) {
      fields.set(path, JSON.stringify(items));
      return;
    }
    const key = findItemKey(items);
    for (const [at, item] of items.entries()) {
      const name = key === undefined ? at : (item as Readonly<Record<string, unknown>>)[key];
      add(`${path}[${name}]`, item);
    }
  }
}

function findItemKey(items: readonly unknown[]): string | undefined {
  return itemKeys.find((key) => {
    const values = items.map((item) => (item as Readonly<Record<string, unknown>> | null)?.[key]);
    const areNames = values.every((value) => typeof value === 'string' || typeof value === 'number');
    return areNames && new Set(values).size === items.length;
  });
}

function join(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}["${key}"]`;
  return path === '' ? key : `${path}.${key}`;
}

/** The fields in which two states of an object differ, in the order of the later one; what is gone comes last. */
export function compareFields(before: Fields, after: Fields): readonly FieldChange[] {
  const changed = [...after].flatMap(([path, value]) =>
    before.get(path) === value ? [] : [{ path, before: before.get(path), after: value }],
  );
  const gone = [...before].filter(([path]) => !after.has(path));
  return [...changed, ...gone.map(([path, value]) => ({ path, before: value, after: undefined }))];
}

/**
 * The fields that would go although the API server's answer still has them: an earlier manifest set them, the new one does
 * not, and Helm takes those away.
 */
export function listDropped(earlier: Fields, manifest: Fields, answer: Fields): readonly FieldChange[] {
  return [...earlier.keys()].flatMap((path) => {
    const value = answer.get(path);
    return manifest.has(path) || value === undefined ? [] : [{ path, before: value, after: undefined }];
  });
}

/** The changes of an object as they may be shown: of a Secret's values, that they differ. */
export function maskChanges({ kind }: Manifest, changes: readonly FieldChange[]): readonly FieldChange[] {
  if (kind !== 'Secret') return changes;
  const hide = (value: string | undefined) => (value === undefined ? undefined : mask);
  return changes.map((change) =>
    /^(data|stringData)\b/.test(change.path)
      ? { path: change.path, before: hide(change.before), after: hide(change.after) }
      : change,
  );
}
