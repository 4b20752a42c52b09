import type { Path, Place } from './problems.ts';

/**
 * The content of a file, each value with its place, so that a message about a merged value names the file it came from.
 * Maps are `Map`s, in which `__proto__` is a key like any other.
 */
export type Tree = MapTree | ListTree | ScalarTree;

export interface MapTree {
  readonly kind: 'map';
  readonly place: Place;
  readonly entries: ReadonlyMap<string, MapEntry>;
}

export interface MapEntry {
  /** Place of the key; the value has its own. */
  readonly place: Place;
  readonly value: Tree;
}

export interface ListTree {
  readonly kind: 'list';
  readonly place: Place;
  readonly items: readonly Tree[];
}

export interface ScalarTree {
  readonly kind: 'scalar';
  readonly place: Place;
  readonly value: string | number | boolean | null;
  /** The text in the file, without quotes: `1e309` where the value is Infinity. */
  readonly source: string;
}

/** Merges `upper` over `lower`: maps are merged, everything else is replaced. New keys come last. */
export function overlay(lower: MapTree, upper: MapTree): MapTree {
  const entries = new Map(lower.entries);
  for (const [key, entry] of upper.entries) {
    const below = entries.get(key);
    const bothMaps = below?.value.kind === 'map' && entry.value.kind === 'map';
    entries.set(key, bothMaps ? { ...below, value: overlay(below.value, entry.value) } : entry);
  }
  return { kind: 'map', place: lower.place, entries };
}

/** The map without one of its keys. */
export function without(tree: MapTree, key: string): MapTree {
  const entries = new Map(tree.entries);
  entries.delete(key);
  return { ...tree, entries };
}

/** A value that a flag can set. */
export type Plain = string | number | readonly string[];

/** A map with one value: `['cluster', 'name']` → `{ cluster: { name: value } }`, all of it at one place. */
export function toTree([key, ...rest]: readonly [string, ...string[]], value: Plain, place: Place): MapTree {
  const [next, ...others] = rest;
  const below = next === undefined ? toLeaf(value, place) : toTree([next, ...others], value, place);
  return { kind: 'map', place, entries: new Map([[key, { place, value: below }]]) };
}

function toLeaf(value: Plain, place: Place): Tree {
  if (typeof value === 'object') {
    return { kind: 'list', place, items: value.map((item) => toLeaf(item, place)) };
  }
  return { kind: 'scalar', place, value, source: String(value) };
}

/** The value at the path; undefined when it is missing. */
export function findAt(tree: Tree, path: Path): Tree | undefined {
  let found: Tree | undefined = tree;
  for (const part of path) {
    if (found?.kind === 'map') found = found.entries.get(String(part))?.value;
    else if (found?.kind === 'list') found = found.items[Number(part)];
    else return undefined;
  }
  return found;
}

/** The place of the value at the path, or of the nearest key above when it is missing. */
export function placeOf(tree: Tree, path: Path): Place {
  const found = findAt(tree, path);
  if (found && found.kind !== 'map') return found.place;
  return placeOfKey(tree, path);
}

/** The place of the last key of the path, or of the nearest key above when it is missing. */
export function placeOfKey(tree: Tree, path: Path): Place {
  const parent = path.slice(0, -1);
  if (path.length === 0) return tree.place;
  const map = findAt(tree, parent);
  const entry = map?.kind === 'map' ? map.entries.get(String(path.at(-1))) : undefined;
  return entry?.place ?? placeOfKey(tree, parent);
}

/** The plain value, its maps without a prototype. */
export function toValue(tree: Tree): unknown {
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return tree.items.map(toValue);
  const map: Record<string, unknown> = Object.create(null);
  for (const [key, entry] of tree.entries) map[key] = toValue(entry.value);
  return map;
}
