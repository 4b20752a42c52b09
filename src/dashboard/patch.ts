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
    if (before[key] !== undefined && after[key] === undefined) changes.push([[...path, key]]);
  }
  for (const key of Object.keys(after)) {
    if (after[key] === undefined) continue;
    changes.push(
      ...(before[key] === undefined
        ? [[[...path, key], after[key]] as const]
        : toChanges(before[key], after[key], [...path, key])),
    );
  }
  return changes;
}

/** The value with the changes. What they do not touch stays the same object, so that it need not be drawn again. */
export function applyChanges<T>(value: T, changes: readonly Change[]): T {
  return changes.reduce((current, [path, ...rest]) => setAt(current, path, rest), value as unknown) as T;
}

function setAt(value: unknown, [key, ...path]: readonly string[], rest: readonly unknown[]): unknown {
  if (key === undefined) return rest[0];
  const copy: Record<string, unknown> = { ...(isPlain(value) ? value : {}) };
  if (path.length === 0 && rest.length === 0) delete copy[key];
  else copy[key] = setAt(copy[key], path, rest);
  return copy;
}
