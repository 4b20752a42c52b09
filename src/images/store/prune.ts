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
import { findUnusedEntries, type NeededKeys } from './unused-entries.ts';

type PrunedEngine = Pick<Docker, 'listImages' | 'listContainers' | 'removeContainer' | 'removeImage'>;

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
  /** IDs of containers that killed runs left. */
  readonly containers: readonly string[];
  /** Names of node images in the engine. */
  readonly nodes: readonly string[];
  /** One line for each kind of entry, with the bytes that it frees. */
  readonly items: readonly { readonly what: string; readonly bytes: number }[];
}

/** Finds what this checkout does not use or, for `all`, everything that can be pulled or built again. Changes nothing. */
export async function planPruning(
  deps: PruneDeps,
  { all, signal }: { readonly all: boolean; readonly signal: AbortSignal },
): Promise<Pruning> {
  const { store, docker, cache, exec } = deps;
  const keys = createImageKeys(deps.catalog, deps.recipes);
  const contents = await store.list();
  const entries = all
    ? toEntries(contents)
    : findUnusedEntries(contents, await listNeeded(deps, keys), Date.now());
  const goBytes = all ? await measureFolder(exec, goCache(cache), signal) : 0;
  const { containers, nodes } = docker
    ? await findInEngine(docker, all ? undefined : await keys.builtNode(), signal)
    : { containers: [], nodes: [] };
  const found = [
    { what: toCount(entries.images.length, 'image'), bytes: 0 },
    { what: toCount(entries.blobs.length, 'layer'), bytes: sum(contents.blobs, 'digest', entries.blobs) },
    { what: toCount(entries.files.length, 'program'), bytes: sum(contents.files, 'key', entries.files) },
    ...nodes.map(({ name, bytes }) => ({ what: `${name} in the container engine`, bytes })),
    { what: toCount(containers.length, 'container', 'left by a killed run'), bytes: 0 },
    { what: goBytes > 0 ? "Go's caches" : '', bytes: goBytes },
  ];
  return {
    entries,
    go: goBytes > 0,
    containers,
    nodes: nodes.map(({ name }) => name),
    items: found.filter(({ what }) => what !== ''),
  };
}

/** Removes what `planPruning` found. @throws {Failure} exit code 10 when another process uses the cache. */
export async function prune(
  { entries, go, containers, nodes }: Pruning,
  deps: PruneDeps,
  run: Run,
): Promise<void> {
  const { store, docker, cache } = deps;
  const { signal, report } = run;
  await withExclusiveCache(cache, async () => {
    await store.remove(entries);
    for (const id of containers) await docker?.removeContainer(id, { signal });
    for (const name of nodes) {
      report(`removing ${name} from the engine`);
      await docker?.removeImage(name, { signal });
    }
    if (!go) return;
    report("clearing Go's caches");
    await deps.go.clean(run);
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
async function findInEngine(docker: PrunedEngine, current: string | undefined, signal: AbortSignal) {
  const [images, containers] = await Promise.all([
    docker.listImages(undefined, { signal }),
    docker.listContainers([], { signal }),
  ]);
  const dead = await Promise.all(
    containers.map(async ({ id, name }) => ((await isOfDeadRun(name)) ? [id] : [])),
  );
  const left = new Set(dead.flat());
  const used = new Set(containers.filter(({ id }) => !left.has(id)).map(({ image }) => image));
  const nodes = images.flatMap(({ id, tags, size }) =>
    used.has(id)
      ? []
      : tags
          .filter((tag) => tag.startsWith(`${nodeRepository}:`) && tag !== current && !used.has(tag))
          .map((name) => ({ name, bytes: size })),
  );
  return { containers: [...left], nodes };
}

async function isOfDeadRun(container: string): Promise<boolean> {
  if (!container.startsWith(unfinishedPrefix)) return false;
  return (await findProcess(Number.parseInt(container.slice(unfinishedPrefix.length), 10))) === undefined;
}

const goCache = (cache: string) => join(cache, 'go');

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
