/** Sets the value at a path of keys, or removes it when there is none. */
export type Change = readonly [path: readonly string[], value?: unknown];

type Plain = Readonly<Record<string, unknown>>;

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The changes that make `before` equal to `after`, both as JSON has them. An array is replaced as a whole. */
export function toChanges(before: unknown, after: unknown, path: readonly string[] = []): readonly Change[] {
  if (before === after) return [];
  if (!isPlain(before) || !isPlain(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [[path, after]];
  }
  const changes: Change[] = [];
  for (const key of Object.keys(before)) {
    if (has(before, key) && !has(after, key)) changes.push([[...path, key]]);
  }
  for (const key of Object.keys(after)) {
    if (!has(after, key)) continue;
    const inside = [...path, key];
    changes.push(
      ...(has(before, key) ? toChanges(before[key], after[key], inside) : [[inside, after[key]] as const]),
    );
  }
  return changes;
}

/** As JSON sees it, which leaves out what is undefined. */
function has(value: Plain, key: string): boolean {
  return Object.hasOwn(value, key) && value[key] !== undefined;
}

/** The value with the changes. What they do not touch stays the same object, so that it need not be drawn again. */
export function applyChanges<T>(value: T, changes: readonly Change[]): T {
  return changes.reduce((current, [path, ...rest]) => setAt(current, path, rest), value as unknown) as T;
}

function setAt(value: unknown, [key, ...path]: readonly string[], rest: readonly unknown[]): unknown {
  if (key === undefined) return rest[0];
  const known = isPlain(value) ? value : {};
  if (path.length === 0 && rest.length === 0) {
    const { [key]: _, ...others } = known;
    return others;
  }
  const next = setAt(Object.hasOwn(known, key) ? known[key] : undefined, path, rest);
  // As an entry, since an assignment to `__proto__` would not make a key of that name.
  return Object.fromEntries([...Object.entries(known).filter(([name]) => name !== key), [key, next]]);
}
