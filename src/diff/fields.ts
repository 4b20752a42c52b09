import { type Manifest, mask } from './manifest.ts';

/** A field that was changed, added or removed; values are JSON, so that "1" and 1 differ. */
export interface FieldChange {
  /** `spec.template.spec.containers[auth-service].image` */
  readonly path: string;
  /** Undefined when the field is new. */
  readonly before: string | undefined;
  /** Undefined when the field is removed. */
  readonly after: string | undefined;
}

type Fields = ReadonlyMap<string, string>;

/** Fields that only the API server and its controllers set. */
const serverSet =
  /^(status|metadata\.(managedFields|resourceVersion|uid|generation|creationTimestamp|selfLink|annotations\["(kubectl\.kubernetes\.io\/last-applied-configuration|deployment\.kubernetes\.io\/revision)"\]))(\.|\[|$)/;

/** Keys that identify an item of a list, in this order (x-kubernetes-list-map-keys of Kubernetes's schema). */
const itemKeys = ['name', 'mountPath', 'containerPort', 'port', 'ip', 'topologyKey', 'type', 'key'] as const;

/** Every field with its value. Items of a list are identified by their key where they have one, so order is ignored. */
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
    // An empty map has a meaning, as in emptyDir or podSelector.
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

/** The fields in which two states of an object differ, in the order of the later one; removed fields come last. */
export function compareFields(before: Fields, after: Fields): readonly FieldChange[] {
  const changed = [...after].flatMap(([path, value]) =>
    before.get(path) === value ? [] : [{ path, before: before.get(path), after: value }],
  );
  const gone = [...before].filter(([path]) => !after.has(path));
  return [...changed, ...gone.map(([path, value]) => ({ path, before: value, after: undefined }))];
}

/**
 * The fields that Helm would remove although the dry run's result still has them: the previous manifest set them, and
 * the new one does not.
 */
export function listDropped(earlier: Fields, manifest: Fields, applied: Fields): readonly FieldChange[] {
  return [...earlier.keys()].flatMap((path) => {
    const value = applied.get(path);
    return manifest.has(path) || value === undefined ? [] : [{ path, before: value, after: undefined }];
  });
}

/** The changes of an object with the values of a Secret masked. */
export function maskChanges({ kind }: Manifest, changes: readonly FieldChange[]): readonly FieldChange[] {
  if (kind !== 'Secret') return changes;
  const hide = (value: string | undefined) => (value === undefined ? undefined : mask);
  return changes.map((change) =>
    /^(data|stringData)\b/.test(change.path)
      ? { path: change.path, before: hide(change.before), after: hide(change.after) }
      : change,
  );
}
