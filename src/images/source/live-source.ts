import { readFile, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Environment } from '../../config/schema.ts';
import { hashContent } from '../../lib/hash.ts';
import type { Image } from '../../lib/oci.ts';
import { type BundledFile, bundleStandIn } from '../build/bundle.ts';
import { findLiveFolders } from '../build/volumes.ts';
import type { Store } from '../store/store.ts';
import { readTar } from '../store/tar.ts';
import { findDockerfile } from './dockerfile-source.ts';

/** Path in the container → hash of the content. */
export type FileHashes = ReadonlyMap<string, string>;

export interface LiveSourceDeps {
  readonly environment: Environment;
  readonly checkout: string;
}

/** The files of the containers that a change of a service's source replaces. */
export interface LiveSource {
  /** By their absolute paths in the container: for a stand-in all live files, else those that changed. */
  readonly files: readonly BundledFile[];
  /** The live folders in the container, which are volumes. */
  readonly folders: readonly string[];
  /** The file that a stand-in runs; undefined for other programs, which do not report what they have loaded. */
  readonly program: string | undefined;
}

/** Above this number of files, building and loading an image is faster. */
const maxFiles = 200;

/**
 * The files to put into running containers after a change; undefined when a new image is needed instead, because a
 * changed file is outside the live folders or was removed.
 * @throws {Failure} exit code 7 when a stand-in does not compile.
 */
export async function readLiveSource(
  { environment, checkout }: LiveSourceDeps,
  {
    name,
    sourceHash,
    changed,
  }: {
    readonly name: string;
    readonly sourceHash: string;
    /** Absolute paths. */
    readonly changed: readonly string[];
  },
): Promise<LiveSource | undefined> {
  const dockerfile = await findDockerfile(environment, name, checkout);
  const live = findLiveFolders(environment, name, { isStandIn: !dockerfile });
  const root = dockerfile?.root ?? checkout;
  const places = live.map(({ from, to }) => ({ from: resolve(root, from), to }));
  const moves = changed.map((path) => ({ path, to: toContainer(places, path) }));
  if (moves.length > maxFiles || moves.some(({ to }) => to === undefined)) return undefined;
  const folders = live.map(({ to }) => to);
  if (!dockerfile) return bundle();
  return readChanged();

  async function bundle(): Promise<LiveSource> {
    const folder = resolve(checkout, environment.services[name]?.standIn ?? '');
    const files = await bundleStandIn(folder, { name, sourceHash: sourceHash.slice(0, 12) });
    return {
      files: files.map((file) => ({ ...file, path: `/${file.path}` })),
      folders,
      program: '/app/main.js',
    };
  }

  async function readChanged(): Promise<LiveSource | undefined> {
    const files = await Promise.all(moves.map(({ path, to }) => readFileOf(path, to ?? '')));
    const contents = files.filter((file) => file !== undefined);
    return contents.length === files.length ? { files: contents, folders, program: undefined } : undefined;
  }
}

async function readFileOf(path: string, to: string): Promise<BundledFile | undefined> {
  try {
    const [content, { mode }] = await Promise.all([readFile(path), stat(path)]);
    return { path: to, mode: mode & 0o100 ? 0o755 : 0o644, content };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EISDIR') return undefined;
    throw error;
  }
}

/** The path in the container of a file on this machine; undefined when it is in no live folder. */
function toContainer(
  places: readonly { readonly from: string; readonly to: string }[],
  path: string,
): string | undefined {
  const place = places.find(({ from }) => path.startsWith(`${from}/`));
  return place && join(place.to, relative(place.from, path));
}

/** The files of an image's uppermost layer, which for a stand-in are all its live files. */
export async function readTopLayer(store: Store, image: Image): Promise<FileHashes> {
  const top = image.layers.at(-1);
  const contents = new Map<string, string>();
  if (!top) return contents;
  for await (const entry of readTar(store.openBlob(top.digest))) {
    if (entry.header.type === 'file') contents.set(`/${entry.header.name}`, hashContent(await buffer(entry)));
    else entry.resume();
  }
  return contents;
}
