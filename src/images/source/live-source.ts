import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { isInside } from '../../config/folders.ts';
import type { Environment, Live } from '../../config/schema.ts';
import { hashContent } from '../../lib/hash.ts';
import type { Image } from '../../lib/oci.ts';
import { bundleStandIn } from '../build/bundle.ts';
import { findLiveFolders } from '../build/volumes.ts';
import type { Store } from '../store/store.ts';
import { readTar } from '../store/tar.ts';
import { findDockerfile } from './dockerfile-source.ts';
import { type LiveEntry, type LiveTree, listDifferent, readLiveTree } from './live-tree.ts';
import type { SourceState } from './source-state.ts';

export interface LiveSourceDeps {
  readonly environment: Environment;
  readonly checkout: string;
  readonly name: string;
}

/** What the live folders of a service's containers must contain. */
export interface LiveSource {
  readonly tree: LiveTree;
  /** The live folders in the container, which are volumes, each with what follows a change in it. */
  readonly folders: readonly Pick<Live, 'to' | 'then'>[];
  /** The file that a stand-in runs; undefined for other programs, which do not report what they have loaded. */
  readonly program: string | undefined;
}

/** Above this number of paths, building and loading an image is faster. */
const maxPaths = 200;

/** The live folders of a service's image that was built from this source. */
export async function readLiveBase(
  deps: LiveSourceDeps,
  source: SourceState,
  image: Image,
  store: Store,
): Promise<LiveTree> {
  const { places, isStandIn } = await findPlaces(deps);
  return isStandIn ? readTopLayer(store, image) : readLiveTree(places, source);
}

/**
 * The live folders as they must be after a change of the source; undefined when an image is needed instead, because a
 * changed file is outside the live folders, or too many have changed.
 * @throws {Failure} exit code 7 when a stand-in does not compile.
 */
export async function readLiveSource(
  deps: LiveSourceDeps,
  {
    source,
    changed,
    base,
  }: {
    readonly source: SourceState;
    /** Absolute paths of the files that differ from the source of the image. */
    readonly changed: readonly string[];
    /** The live folders of the image. */
    readonly base: LiveTree;
  },
): Promise<LiveSource | undefined> {
  const { places, isStandIn } = await findPlaces(deps);
  if (changed.some((path) => !places.some(({ from }) => path !== from && isInside(from, path))))
    return undefined;
  const tree = isStandIn ? await bundle(deps, source.hash) : await readLiveTree(places, source);
  if (listDifferent(base, tree).length > maxPaths) return undefined;
  return { tree, folders: places, program: isStandIn ? '/app/main.js' : undefined };
}

async function findPlaces({ environment, checkout, name }: LiveSourceDeps) {
  const dockerfile = await findDockerfile(environment, name, checkout);
  const root = dockerfile?.root ?? checkout;
  const live = findLiveFolders(environment, name, { isStandIn: !dockerfile });
  return {
    isStandIn: !dockerfile,
    places: live.map(({ from, ...each }) => ({ ...each, from: resolve(root, from) })),
  };
}

async function bundle(
  { environment, checkout, name }: LiveSourceDeps,
  sourceHash: string,
): Promise<LiveTree> {
  const folder = resolve(checkout, environment.services[name]?.standIn ?? '');
  const files = await bundleStandIn(folder, { name, sourceHash: sourceHash.slice(0, 12) });
  return new Map(files.map(({ path, mode, content }) => [`/${path}`, toFile(mode, content)] as const));
}

function toFile(mode: number, content: Uint8Array): LiveEntry {
  return { kind: 'file', mode, version: hashContent(content), read: async () => content };
}

/** The files of an image's uppermost layer, which for a stand-in are all its live files. */
export async function readTopLayer(store: Pick<Store, 'openBlob'>, image: Image): Promise<LiveTree> {
  const top = image.layers.at(-1);
  const tree = new Map<string, LiveEntry>();
  if (!top) return tree;
  for await (const entry of readTar(store.openBlob(top.digest))) {
    const { name, type, mode = 0o644 } = entry.header;
    if (type === 'file') tree.set(`/${name}`, toFile(mode & 0o7777, await buffer(entry)));
    else entry.resume();
  }
  return tree;
}
