import { type Path, type Problem, toPlaceText } from '../problems.ts';
import type { LocalEnvironment, Service } from '../schema.ts';
import { findAt, type MapTree, placeOf, placeOfKey, toValue } from '../tree.ts';

/** What the checks look at: what is in it has passed the schema, and anything may be missing. */
export interface Draft {
  readonly checkout: string;
  /** Everything as it was written, for places. */
  readonly tree: MapTree;
  readonly cluster: Partial<LocalEnvironment['cluster']>;
  readonly source: string | undefined;
  readonly argocd: Partial<LocalEnvironment['argocd']>;
  /** As written, also names that no service may have. */
  readonly names: readonly string[];
  /** Those with a valid name, in their order, also where they have no valid key. */
  readonly services: ReadonlyMap<string, Partial<Service>>;
  /** The files and flags that were merged, the lowest first. */
  readonly layers: readonly string[];
}

/** The tree less everything that the schema refused, so that its other values can be checked all the same. */
export function toDraft(
  { checkout, tree, layers }: Pick<Draft, 'checkout' | 'tree' | 'layers'>,
  refused: readonly Problem[],
): Draft {
  const value = toValue(tree) as Record<string, unknown>;
  for (const { path } of refused) removeAt(value, path);
  // What is left at a path without a problem has the type that the schema gives to it.
  const settings = value as {
    cluster?: Draft['cluster'];
    source?: string;
    argocd?: Draft['argocd'];
    services?: Record<string, Service>;
  };
  const services = findAt(tree, ['services']);
  const names = services?.kind === 'map' ? [...services.entries.keys()] : [];
  const refusedNames = new Set(
    refused.flatMap(({ path }) => (path.length === 2 && path[0] === 'services' ? [path[1]] : [])),
  );
  return {
    checkout,
    tree,
    layers,
    names,
    cluster: settings.cluster ?? {},
    source: settings.source,
    argocd: settings.argocd ?? {},
    services: new Map(
      names.filter((name) => !refusedNames.has(name)).map((name) => [name, settings.services?.[name] ?? {}]),
    ),
  };
}

/** Removes the last map key on the path: an item of a list takes its whole list with it, so that no index moves. */
function removeAt(value: Record<string, unknown>, path: Path): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  const below = value[key];
  if (rest.length > 0 && typeof below === 'object' && below !== null && !Array.isArray(below)) {
    removeAt(below as Record<string, unknown>, rest);
  } else delete value[key];
}

/** A problem at the place of the value, or of the nearest key above it where it is missing. */
export function problemAt({ tree }: Draft, path: Path, text: string): Problem {
  return { place: placeOf(tree, path), path, text };
}

/** Which of two values to blame when they exclude each other: the one that was laid over the other, else the second. */
export function toBlame(
  { tree, layers }: Draft,
  first: Path,
  second: Path,
): { readonly fault: Path; readonly other: Path } {
  const layerOf = (path: Path) => layers.indexOf(placeOf(tree, path).file);
  return layerOf(first) > layerOf(second) ? { fault: first, other: second } : { fault: second, other: first };
}

/** `env/base.yaml:5:11` of the value at the path. */
export function placeText({ tree }: Draft, path: Path): string {
  return toPlaceText(placeOf(tree, path));
}

/** The same of its key. */
export function keyPlaceText({ tree }: Draft, path: Path): string {
  return toPlaceText(placeOfKey(tree, path));
}
