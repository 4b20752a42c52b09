import type { Catalog } from '../../config/catalog.ts';
import type { Layer } from '../../lib/oci.ts';
import type { Recipes } from '../build/recipes.ts';
import { toProgramKey, toRootKey, type Workshop } from '../build/workshop.ts';

/** The keys under which the store caches what the current recipes use. */
export interface RecipeInputs {
  /** Keys of Go programs. */
  readonly files: ReadonlySet<string>;
  /** Keys of roots of Debian packages. */
  readonly roots: ReadonlySet<string>;
}

/** Runs the recipes of these images with a workshop that builds nothing and records the keys. */
export async function listRecipeInputs(
  recipes: Recipes,
  names: readonly (keyof Catalog)[],
  architecture: string,
): Promise<RecipeInputs> {
  const files = new Set<string>();
  const roots = new Set<string>();
  const nothing: Layer = { digest: `sha256:${'0'.repeat(64)}`, size: 0 };
  const workshop: Workshop = {
    architecture,
    async goProgram(program, platform = { os: 'linux', architecture }) {
      const key = await toProgramKey(program, platform);
      files.add(key);
      return key;
    },
    async debianRoot(root, drop = []) {
      roots.add(toRootKey(root, drop, architecture));
      return nothing;
    },
    layer: async () => nothing,
    image: () => ({ config: '{}', layers: [] }),
  };
  for (const name of names) {
    const recipe = name === 'node' ? await recipes.loadNode() : await recipes.load(name);
    await recipe.build(workshop);
  }
  return { files, roots };
}
