import type { Catalog, ImageName } from '../config/catalog.ts';
import { hash } from '../lib/hash.ts';
import type { Recipes } from './build/recipes.ts';

/** The keys under which the images of a catalog are cached. */
export interface ImageKeys {
  /** Key in the store of the pulled image. */
  pulled(name: ImageName): string;
  /** Key in the store of the image that the current recipe builds. */
  built(name: ImageName): Promise<string>;
  /** Name in the engine of the node image that the current recipe builds. */
  builtNode(): Promise<string>;
}

/** Repository of the node images that are built here. */
export const nodeRepository = 'wealist.local/node';

/** The keys change with the catalog's reference, or with the recipe's inputs. */
export function createImageKeys(catalog: Catalog, recipes: Pick<Recipes, 'keyOf'>): ImageKeys {
  return {
    pulled: (name) => `pulled-${name}-${hash(catalog[name].pull)}`,
    built: async (name) => `built-${name}-${await recipes.keyOf(name)}`,
    builtNode: async () => `${nodeRepository}:${(await recipes.keyOf('node')).slice(0, 12)}`,
  };
}
