import { type Path, type Problem, toPlaceText } from '../problems.ts';
import type { LocalEnvironment, Service } from '../schema.ts';
import { findAt, type MapTree, placeOf, placeOfKey, toValue } from '../tree.ts';

/** The input of the checks: every value in it has passed the schema, and any value may be missing. */
export interface Draft {
  readonly checkout: string;
  /** The merged files, for the places of values. */
  readonly tree: MapTree;
  readonly cluster: Partial<LocalEnvironment['cluster']>;
  readonly source: string | undefined;
  readonly bases: NonNullable<LocalEnvironment['bases']>;
  readonly argocd: Partial<LocalEnvironment['argocd']>;
  /** All names in the files, also invalid ones. */
  readonly names: readonly string[];
  /** Services with a valid name, in order, also those without a valid key. */
  readonly services: ReadonlyMap<string, Partial<Service>>;
  /** The files and flags that were merged, the lowest first. */
  readonly layers: readonly string[];
}

/** The tree without the values that the schema rejected, so that the other values can still be checked. */
export function toDraft(
  { checkout, tree, layers }: Pick<Draft, 'checkout' | 'tree' | 'layers'>,
  refused: readonly Problem[],
): Draft {
  const value = toValue(tree) as Record<string, unknown>;
  for (const { path } of refused) removeAt(value, path);
  // A value without a problem has the type of the schema.
  const settings = value as {
    cluster?: Draft['cluster'];
    source?: string;
    bases?: Draft['bases'];
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
    bases: settings.bases ?? {},
    argocd: settings.argocd ?? {},
    services: new Map(
      names.filter((name) => !refusedNames.has(name)).map((name) => [name, settings.services?.[name] ?? {}]),
    ),
  };
}

/** Removes the last map key on the path. For an item of a list the whole list is removed, so that no index changes. */
function removeAt(value: Record<string, unknown>, path: Path): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  const below = value[key];
  if (rest.length > 0 && typeof below === 'object' && below !== null && !Array.isArray(below)) {
    removeAt(below as Record<string, unknown>, rest);
  } else delete value[key];
}

/** A problem at the place of the value, or of the nearest existing key above it. */
export function problemAt({ tree }: Draft, path: Path, text: string): Problem {
  return { place: placeOf(tree, path), path, text };
}

/** Which of two conflicting values is at fault: the one of the later file, else the second. */
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
