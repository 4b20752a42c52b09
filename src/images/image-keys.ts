import type { Catalog, ImageName } from '../config/catalog.ts';
import { hash } from '../lib/hash.ts';
import type { Recipes } from './build/recipes.ts';

/** What the images of a catalog are kept under. */
export interface ImageKeys {
  /** In the store, as it was pulled. */
  pulled(name: ImageName): string;
  /** In the store, as its recipe of now makes it. */
  built(name: ImageName): Promise<string>;
  /** In the engine, as its recipe of now makes it. */
  builtNode(): Promise<string>;
}

/** Begins the names of the node images that are built here. */
export const nodeRepository = 'wealist.local/node';

export function createImageKeys(catalog: Catalog, recipes: Pick<Recipes, 'keyOf'>): ImageKeys {
  return {
    pulled: (name) => `pulled-${name}-${hash(catalog[name].pull)}`,
    built: async (name) => `built-${name}-${await recipes.keyOf(name)}`,
    builtNode: async () => `${nodeRepository}:${(await recipes.keyOf('node')).slice(0, 12)}`,
  };
}
