import type { Catalog } from '../config/catalog.ts';
import type { Images } from './open-images.ts';
import { listRecipeInputs } from './store/recipe-inputs.ts';

/** How many parts of images must still be built from packages. */
export interface MissingParts {
  /** Go programs. */
  readonly programs: number;
  /** Root file systems of Debian packages. */
  readonly roots: number;
}

/**
 * The parts that the recipes of these images use and the store does not have. An image whose parts are all cached is
 * made without Go, apt and the space that they take. Images without a recipe have no parts.
 */
export async function findMissingParts(
  { catalog, recipes, store, architecture }: Pick<Images, 'catalog' | 'recipes' | 'store' | 'architecture'>,
  names: readonly (keyof Catalog)[],
): Promise<MissingParts> {
  const built = names.filter((name) => catalog[name].build);
  const { files, roots } = await listRecipeInputs(recipes, built, architecture);
  const [foundFiles, foundRoots] = await Promise.all([
    Promise.all([...files].map((key) => store.findFile(key))),
    Promise.all([...roots].map((key) => store.findImage(key))),
  ]);
  return {
    programs: foundFiles.filter((found) => found === undefined).length,
    roots: foundRoots.filter((found) => found === undefined).length,
  };
}
