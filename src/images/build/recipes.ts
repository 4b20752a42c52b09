import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog, ImageName } from '../../config/catalog.ts';
import { hash, hashFolder } from '../../lib/hash.ts';
import type { NodeRecipe } from './node-image.ts';
import { primitivesVersion } from './primitives-version.ts';
import type { Recipe } from './recipe.ts';

/** The recipes of a checkout: `images/<name>/recipe.ts`. */
export interface Recipes {
  /** A hash of everything that the built image depends on, and of nothing else. */
  keyOf(name: keyof Catalog): Promise<string>;
  load(name: ImageName): Promise<Recipe>;
  loadNode(): Promise<NodeRecipe>;
}

/** The recipes of `checkout`; their keys include the architecture (`amd64`). Each key is computed once. */
export function openRecipes({ checkout, architecture }: { checkout: string; architecture: string }): Recipes {
  const folder = join(checkout, 'images');
  const keys = new Map<string, Promise<string>>();

  async function makeKey(name: string): Promise<string> {
    const entries = await readdir(folder, { withFileTypes: true });
    const shared = entries
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((each) => each.name);
    const files = [
      ...shared.sort().map((file) => join(folder, file)),
      join(checkout, 'src/tools/versions.ts'),
    ];
    const [recipe, ...texts] = await Promise.all([
      hashFolder(join(folder, name)),
      ...files.map((file) => readFile(file, 'utf8')),
    ]);
    return hash({ primitivesVersion, architecture, recipe, texts });
  }

  const load = async (name: keyof Catalog) => {
    const { recipe } = await import(`../../../images/${name}/recipe.ts`);
    return recipe;
  };

  return {
    keyOf(name) {
      const key = keys.get(name) ?? makeKey(name);
      keys.set(name, key);
      return key;
    },
    load,
    loadNode: () => load('node'),
  };
}
