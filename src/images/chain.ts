import type { Catalog, ImageName } from '../config/catalog.ts';
import type { Environment } from '../config/schema.ts';
import { Failure } from '../lib/failure.ts';
import { hash } from '../lib/hash.ts';
import { type Reference, toReference, toTagged } from '../lib/reference.ts';
import type { Stopwatch } from '../lib/stopwatch.ts';
import type { Run } from '../plan/plan.ts';
import type { DockerCli } from '../tools/docker/cli.ts';
import type { Docker } from '../tools/docker/docker.ts';
import { versions } from '../tools/versions.ts';
import { assembleNode } from './build/node-image.ts';
import type { Recipes } from './build/recipes.ts';
import { reportElapsed } from './build/report-elapsed.ts';
import type { Workshop } from './build/workshop.ts';
import { createImageFinder, type Origin, type ResolvedImage, toBuilt, toPulled } from './find-image.ts';
import { createImageKeys } from './image-keys.ts';
import { importArchive } from './import/import-archive.ts';
import type { PulledImage, Puller } from './pull/puller.ts';
import { pullOrBuild } from './pull-or-build.ts';
import { findOrMake } from './store/cache-lock.ts';
import type { Store } from './store/store.ts';

export type { ImageName } from '../config/catalog.ts';
export type { Origin, ResolvedImage } from './find-image.ts';

/** The node's image in the engine, under a name that kind can use. */
export interface ResolvedNode {
  readonly reference: string;
  readonly origin: Origin;
  /** `v1.34.4` */
  readonly kubernetesVersion: string;
}

/** Obtains outside images: found in the store or the engine, else pulled, else built from packages. */
export interface ImageChain {
  /** The image if it is in the store. Changes nothing and makes no request. */
  find(name: ImageName): Promise<ResolvedImage | undefined>;
  /**
   * @throws {Failure} exit code 7 when it can be neither pulled nor built, with both reasons; 3 when this machine
   * lacks a program that the build needs; 9 when a registry has another image than the recorded one.
   */
  ensure(name: ImageName, run: Run): Promise<ResolvedImage>;
  /** The node's image if the engine has it. */
  findNode(): Promise<ResolvedNode | undefined>;
  /** As `ensure`. */
  ensureNode(run: Run): Promise<ResolvedNode>;
}

export interface ImageChainDeps {
  readonly catalog: Catalog;
  /** The environment's setting for pulls. */
  readonly allowed: Environment['registry']['pull'];
  readonly store: Store;
  readonly docker: Pick<Docker, 'findImage' | 'saveImages' | 'removeImage' | 'tagImage'>;
  readonly dockerCli: Pick<DockerCli, 'load' | 'runAndCommit'>;
  readonly puller: Puller;
  readonly recipes: Recipes;
  readonly workshop: (run: Run, stopwatch?: Stopwatch) => Promise<Workshop>;
  /** The user's cache folder, for the locks. */
  readonly cache: string;
}

/** Connects store, engine, registries and recipes. Concurrent calls for one image obtain it once. */
export function createImageChain(deps: ImageChainDeps): ImageChain {
  const { catalog, allowed, store, docker, dockerCli, puller, recipes, workshop, cache } = deps;

  const keys = createImageKeys(catalog, recipes);

  const findCached = createImageFinder({ catalog, keys, store });
  const referenceOf = (name: keyof Catalog) => toReference(catalog[name].pull) as Reference;

  const toOwnKey = (name: ImageName, id: string) => `${keys.pulled(name)}-${hash(id)}`;

  /** The engine's image goes before the cached one if it is the user's own, who may have built it again. */
  async function find(name: ImageName): Promise<ResolvedImage | undefined> {
    const present = catalog[name].own ? await puller.find(referenceOf(name)).catch(noEngine) : undefined;
    if (!present) return findCached(name);
    const image = await store.findImage(toOwnKey(name, present.details.id));
    return image && toPulled(catalog, name, image);
  }

  async function importPulled(
    name: ImageName,
    { name: pulledName, details }: PulledImage,
    run: Run,
  ): Promise<ResolvedImage> {
    run.report(`importing ${pulledName} from the engine`);
    const { signal } = run;
    const image = await importArchive(await docker.saveImages([pulledName], { signal }), store);
    await store.putImage(keys.pulled(name), image);
    if (catalog[name].own) await store.putImage(toOwnKey(name, details.id), image);
    return toPulled(catalog, name, image);
  }

  async function build(name: ImageName, run: Run): Promise<ResolvedImage> {
    const recipe = await recipes.load(name);
    const image = await reportElapsed(run, recipe, async (timed, stopwatch) =>
      recipe.build(await workshop(timed, stopwatch)),
    );
    await store.putImage(await keys.built(name), image);
    return toBuilt(name, image);
  }

  async function obtain(name: ImageName, run: Run): Promise<ResolvedImage> {
    const reference = referenceOf(name);
    const present = await puller.find(reference);
    if (present) return importPulled(name, present, run);
    return pullOrBuild(run, {
      name,
      entry: catalog[name],
      allowed,
      async pull() {
        const pulled = await puller.pull(reference, run);
        const imported = await importPulled(name, pulled, run);
        // The store has it now, so the engine's copy would only take space.
        await docker.removeImage(pulled.name, { signal: run.signal });
        return imported;
      },
      build: () => build(name, run),
      minutes: async () => (await recipes.load(name)).minutes,
    });
  }

  async function findNode(): Promise<ResolvedNode | undefined> {
    const reference = referenceOf('node');
    const present = await puller.find(reference);
    if (present) return toPulledNode(present.name, reference);
    const built = await keys.builtNode();
    if (!(await docker.findImage(built))) return undefined;
    await store.markUsed(built);
    return toBuiltNode(built);
  }

  async function pullNode(reference: Reference, run: Run): Promise<ResolvedNode> {
    const { name } = await puller.pull(reference, run);
    // An image pulled by its digest or from a mirror does not have the catalog's name yet.
    await docker.tagImage(name, toTagged(reference), { signal: run.signal });
    return toPulledNode(toTagged(reference), reference);
  }

  async function buildNode(run: Run): Promise<ResolvedNode> {
    const recipe = await recipes.loadNode();
    const tag = await keys.builtNode();
    await reportElapsed(run, recipe, async (timed, stopwatch) => {
      const node = await recipe.build(await workshop(timed, stopwatch));
      await assembleNode(node, { tag, store, docker: dockerCli, run: timed });
    });
    await docker.removeImage(`${tag}-unfinished`, { signal: run.signal });
    return toBuiltNode(tag);
  }

  async function obtainNode(run: Run): Promise<ResolvedNode> {
    const reference = referenceOf('node');
    return pullOrBuild(run, {
      name: 'node',
      entry: catalog.node,
      allowed,
      pull: () => pullNode(reference, run),
      build: () => buildNode(run),
      minutes: async () => (await recipes.loadNode()).minutes,
    });
  }

  return {
    find,
    ensure: (name, run) =>
      findOrMake({
        cache,
        key: `image-${name}`,
        run,
        find: () => find(name),
        make: () => obtain(name, run),
      }),
    findNode,
    ensureNode: (run) =>
      findOrMake({ cache, key: 'image-node', run, find: findNode, make: () => obtainNode(run) }),
  };
}

/** Without an engine, only the store is asked. */
function noEngine(error: unknown): undefined {
  if (!(error instanceof Failure)) throw error;
}

function toPulledNode(name: string, { tag }: Reference): ResolvedNode {
  return { reference: name, origin: 'pulled', kubernetesVersion: tag };
}

function toBuiltNode(reference: string): ResolvedNode {
  return { reference, origin: 'built', kubernetesVersion: `v${versions.kubernetes}` };
}
