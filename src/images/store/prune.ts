import { join } from 'node:path';
import type { Catalog, ImageName } from '../../config/catalog.ts';
import { findProcess } from '../../lib/processes.ts';
import type { Run } from '../../plan/plan.ts';
import { measureFolder } from '../../tools/disk.ts';
import { unfinishedPrefix } from '../../tools/docker/cli.ts';
import type { Docker } from '../../tools/docker/docker.ts';
import type { Exec } from '../../tools/exec.ts';
import type { Go } from '../../tools/go.ts';
import { toPackagesKey } from '../build/npm-packages.ts';
import { createImageKeys, type ImageKeys, nodeRepository } from '../image-keys.ts';
import type { Images } from '../open-images.ts';
import { withExclusiveCache } from './cache-lock.ts';
import { listRecipeInputs } from './recipe-inputs.ts';
import type { StoreContents, StoreEntries } from './store.ts';
import { findUnusedEntries, type NeededKeys, unusedPeriod } from './unused-entries.ts';

type PrunedEngine = Pick<
  Docker,
  | 'listImages'
  | 'listContainers'
  | 'removeContainer'
  | 'removeImage'
  | 'measureBuildCache'
  | 'pruneBuildCache'
>;

export interface PruneDeps
  extends Pick<Images, 'catalog' | 'recipes' | 'store' | 'architecture' | 'checkout'> {
  readonly go: Pick<Go, 'clean'>;
  readonly exec: Exec;
  /** Undefined where no engine runs. */
  readonly docker: PrunedEngine | undefined;
  /** The user's cache folder. */
  readonly cache: string;
}

/** What would be removed, and the space that this frees. */
export interface Pruning {
  readonly entries: StoreEntries;
  /** Whether Go's caches are removed. */
  readonly go: boolean;
  /** Whether BuildKit's cache in the engine is cleared. */
  readonly buildCache: boolean;
  /** IDs of containers that killed runs left. */
  readonly containers: readonly string[];
  /** Names of node images in the engine. */
  readonly nodes: readonly string[];
  /** One line for each kind of entry, with the bytes that it frees. */
  readonly items: readonly { readonly what: string; readonly bytes: number }[];
}

export interface PruneChoice {
  /** Everything that can be pulled or built again, instead of what no checkout uses. */
  readonly all: boolean;
  /** Nothing but what is in it. */
  readonly confirmed?: Pruning;
  readonly signal: AbortSignal;
}

/** Finds what would be removed. Changes nothing. */
export async function planPruning(deps: PruneDeps, choice: PruneChoice): Promise<Pruning> {
  const { all, confirmed, signal } = choice;
  const { store, docker, cache, exec } = deps;
  const keys = createImageKeys(deps.catalog, deps.recipes);
  const contents = await store.list();
  const entries = limitTo(
    confirmed?.entries,
    all ? toEntries(contents) : findUnusedEntries(contents, await listNeeded(deps, keys), Date.now()),
  );
  const goBytes = all && confirmed?.go !== false ? await measureFolder(exec, goCache(cache), signal) : 0;
  const inEngine = docker ? await findInEngine(docker, signal) : { containers: [], nodes: [] };
  const containers = inEngine.containers.filter((id) => confirmed?.containers.includes(id) ?? true);
  const current = await keys.builtNode();
  const isUnused = async ({ name, created }: { readonly name: string; readonly created: number }) =>
    name !== current && Date.now() - Math.max(created, await store.findLastUse(name)) > unusedPeriod;
  const isRemoved = await Promise.all(inEngine.nodes.map(async (node) => all || isUnused(node)));
  const nodes = inEngine.nodes.filter(
    ({ name }, at) => isRemoved[at] && (confirmed?.nodes.includes(name) ?? true),
  );
  const builtBytes =
    docker && confirmed?.buildCache !== false ? await docker.measureBuildCache({ signal }) : 0;
  const found = [
    { what: toCount(entries.images.length, 'image'), bytes: 0 },
    { what: toCount(entries.blobs.length, 'layer'), bytes: sum(contents.blobs, 'digest', entries.blobs) },
    { what: toCount(entries.files.length, 'program'), bytes: sum(contents.files, 'key', entries.files) },
    ...nodes.map(({ name, bytes }) => ({ what: `${name} in the container engine`, bytes })),
    { what: toCount(containers.length, 'container', 'left by a killed run'), bytes: 0 },
    // Builds of other projects share it, so it is named as what it is.
    {
      what: builtBytes > 0 ? "BuildKit's cache in the container engine, of all projects" : '',
      bytes: builtBytes,
    },
    { what: goBytes > 0 ? "Go's caches" : '', bytes: goBytes },
  ];
  return {
    entries,
    go: goBytes > 0,
    buildCache: builtBytes > 0,
    containers,
    nodes: nodes.map(({ name }) => name),
    items: found.filter(({ what }) => what !== ''),
  };
}

/**
 * Removes what was confirmed, as far as nothing has used it since. Resolves to what was removed.
 * @throws {Failure} exit code 10 when another process uses the cache.
 */
export async function prune(
  deps: PruneDeps,
  choice: { readonly all: boolean; readonly confirmed: Pruning },
  run: Run,
): Promise<Pruning> {
  const { store, docker, cache } = deps;
  const { signal, report } = run;
  return withExclusiveCache(cache, async () => {
    const removed = await planPruning(deps, { ...choice, signal });
    const { entries, containers, nodes, go, buildCache } = removed;
    await store.remove(entries);
    for (const id of containers) await docker?.removeContainer(id, { signal });
    for (const name of nodes) {
      report(`removing ${name} from the engine`);
      await docker?.removeImage(name, { signal });
    }
    if (buildCache) {
      report("clearing BuildKit's cache");
      await docker?.pruneBuildCache(0, { signal });
    }
    if (go) {
      report("clearing Go's caches");
      await deps.go.clean(run);
    }
    return removed;
  });
}

/** The keys that this checkout's catalog and recipes use. */
async function listNeeded(
  { catalog, recipes, architecture, checkout }: PruneDeps,
  keys: ImageKeys,
): Promise<NeededKeys> {
  const names = Object.keys(catalog) as (keyof Catalog)[];
  const images = names.filter((name): name is ImageName => name !== 'node');
  const built = names.filter((name) => catalog[name].build);
  const { files, roots } = await listRecipeInputs(recipes, built, architecture);
  const builtImages = images.filter((name) => catalog[name].build);
  return {
    files,
    images: new Set([
      ...roots,
      ...images.map(keys.pulled),
      await toPackagesKey(checkout),
      ...(await Promise.all(builtImages.map(keys.built))),
    ]),
  };
}

/** Node images and containers with names that this tool gives, which no container uses. */
async function findInEngine(docker: PrunedEngine, signal: AbortSignal) {
  const [images, containers] = await Promise.all([
    docker.listImages(undefined, { signal }),
    docker.listContainers([], { signal }),
  ]);
  const dead = await Promise.all(
    containers.map(async ({ id, name }) => ((await isOfDeadRun(name)) ? [id] : [])),
  );
  const left = new Set(dead.flat());
  const used = new Set(containers.filter(({ id }) => !left.has(id)).map(({ image }) => image));
  const nodes = images.flatMap(({ id, tags, size, created }) =>
    used.has(id)
      ? []
      : tags
          .filter((tag) => tag.startsWith(`${nodeRepository}:`) && !used.has(tag))
          .map((name) => ({ name, bytes: size, created })),
  );
  return { containers: [...left], nodes };
}

async function isOfDeadRun(container: string): Promise<boolean> {
  if (!container.startsWith(unfinishedPrefix)) return false;
  return (await findProcess(Number.parseInt(container.slice(unfinishedPrefix.length), 10))) === undefined;
}

const goCache = (cache: string) => join(cache, 'go');

/** The entries that are among the confirmed ones; all of them where none were. */
function limitTo(confirmed: StoreEntries | undefined, { images, files, blobs }: StoreEntries): StoreEntries {
  if (!confirmed) return { images, files, blobs };
  const among = <T>(entries: readonly T[], wanted: readonly T[]) => {
    const known = new Set(wanted);
    return entries.filter((entry) => known.has(entry));
  };
  return {
    images: among(images, confirmed.images),
    files: among(files, confirmed.files),
    blobs: among(blobs, confirmed.blobs),
  };
}

function toEntries({ images, files, blobs }: StoreContents): StoreEntries {
  return {
    images: images.map(({ key }) => key),
    files: files.map(({ key }) => key),
    blobs: blobs.map(({ digest }) => digest),
  };
}

function sum<Name extends string>(
  entries: readonly ({ readonly bytes: number } & { readonly [name in Name]: string })[],
  name: Name,
  removed: readonly string[],
): number {
  const gone = new Set(removed);
  return entries.reduce((total, each) => total + (gone.has(each[name]) ? each.bytes : 0), 0);
}

function toCount(count: number, noun: string, more = 'in the cache'): string {
  return count === 0 ? '' : `${count} ${noun}${count === 1 ? '' : 's'} ${more}`;
}
