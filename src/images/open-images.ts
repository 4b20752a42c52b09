import { join } from 'node:path';
import { type Catalog, loadCatalog } from '../config/catalog.ts';
import { withOwnImages } from '../config/own-images.ts';
import type { Environment } from '../config/schema.ts';
import { createSerialQueue } from '../lib/serial-queue.ts';
import type { Paths } from '../state/paths.ts';
import { createDebian } from '../tools/debian.ts';
import type { Exec } from '../tools/exec.ts';
import { createGo, type Go } from '../tools/go.ts';
import type { Toolchain } from '../tools/toolchain.ts';
import { openRecipes, type Recipes } from './build/recipes.ts';
import { openWorkshop } from './build/workshop.ts';
import { createImageChain, type ImageChain, type ImageChainDeps } from './chain.ts';
import { type ImageDigests, openImageDigests } from './pull/image-digests.ts';
import { createPuller } from './pull/puller.ts';
import { openStore, type Store } from './store/store.ts';

/** Everything that finds, pulls and builds images in one run. */
export interface Images {
  readonly chain: ImageChain;
  readonly store: Store;
  readonly workshop: ImageChainDeps['workshop'];
  readonly catalog: Catalog;
  readonly recipes: Recipes;
  readonly digests: ImageDigests;
  readonly go: Go;
  /** The architecture that all images are built for: the engine's, `amd64`, `arm64`. */
  readonly architecture: string;
  readonly checkout: string;
}

export interface ImagesDeps {
  readonly paths: Paths;
  readonly registry: Environment['registry'];
  readonly toolchain: Pick<Toolchain, 'docker' | 'dockerCli'>;
  readonly exec: Exec;
  /** The engine's, which is not always Node's: Node may be emulated, and the engine may run in a virtual machine. */
  readonly architecture: string;
  /** The environment whose values files may name images of the user's own. */
  readonly environment?: Pick<Environment, 'name' | 'values'>;
}

/** Connects the store, the recipes and the chain. @throws {ConfigFailure} for `images/catalog.yaml`. */
export async function openImages(deps: ImagesDeps): Promise<Images> {
  const { paths, registry, toolchain, exec, architecture } = deps;
  const { checkout, cache } = paths;
  const { docker, dockerCli } = toolchain;
  const store = openStore(cache);
  const go = createGo(exec, join(cache, 'go'));
  const debian = createDebian(exec);
  const goQueue = createSerialQueue();
  const workshop: Images['workshop'] = async (run, stopwatch) =>
    openWorkshop({ store, go, debian, architecture, cache, run, goQueue, stopwatch });
  const stock = await loadCatalog(checkout);
  const catalog = deps.environment ? await withOwnImages(stock, checkout, deps.environment) : stock;
  const recipes = openRecipes({ checkout, architecture });
  const digests = openImageDigests(paths);
  const chain = createImageChain({
    catalog,
    allowed: registry.pull,
    store,
    docker,
    dockerCli,
    puller: createPuller({ docker, registry, digests, architecture }),
    recipes,
    workshop,
    cache,
  });
  return { chain, store, workshop, catalog, recipes, digests, go, architecture, checkout };
}
