import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import type { Digest, Image, Layer } from '../../lib/oci.ts';
import { findProcess } from '../../lib/processes.ts';
import { writeTo } from '../../lib/system-failure.ts';

/**
 * The cache of what was pulled or built, shared by all checkouts of this user and safe to delete.
 * An entry is written to a temporary path and renamed, so that a reader never sees half of it.
 */
export interface Store {
  /** Adds a blob and resolves to its digest and size. */
  putBlob(content: AsyncIterable<Uint8Array>): Promise<Layer>;
  /**
   * The blob's content, checked against its digest while it is read. One that was damaged on the disk is removed, so that
   * its image is made again; the stream then ends with a {DamagedBlob}.
   */
  openBlob(digest: Digest): Readable;
  /** The blob's digest and size; undefined when the store does not have it. */
  findBlob(digest: Digest): Promise<Layer | undefined>;
  /** The image under a key, which is thereby in use; undefined when the store lacks it or one of its blobs. */
  findImage(key: string): Promise<Image | undefined>;
  putImage(key: string, image: Image): Promise<void>;
  /** The path of the file under a key, which is thereby in use; undefined when the store does not have it. */
  findFile(key: string): Promise<string | undefined>;
  /** Stores the file that `write` creates under a key; resolves to its path. */
  putFile(key: string, write: (path: string) => Promise<void>): Promise<string>;
  /** Records the use of something that the store does not hold itself, such as an image in the engine. */
  markUsed(name: string): Promise<void>;
  /** Milliseconds since 1970 of the last `markUsed`; 0 without one. */
  findLastUse(name: string): Promise<number>;
  /** Runs `work` with a temporary folder on the store's disk, which is removed afterwards. */
  withWorkFolder<T>(work: (folder: string) => Promise<T>): Promise<T>;
  list(): Promise<StoreContents>;
  /** Removes entries; those that no longer exist are ignored. */
  remove(entries: StoreEntries): Promise<void>;
}

export interface StoreEntries {
  readonly images: readonly string[];
  readonly files: readonly string[];
  readonly blobs: readonly Digest[];
}

interface CachedEntry {
  /** Milliseconds since 1970, when it was stored or used last, to within an hour. */
  readonly modified: number;
}

export interface StoreContents {
  /** `image` is undefined for an invalid entry. */
  readonly images: readonly (CachedEntry & { readonly key: string; readonly image: Image | undefined })[];
  readonly files: readonly (CachedEntry & { readonly key: string; readonly bytes: number })[];
  readonly blobs: readonly (CachedEntry & { readonly digest: Digest; readonly bytes: number })[];
}

/** A blob of the cache no longer has the content that it was stored with. */
export class DamagedBlob extends Failure {
  constructor(digest: Digest) {
    super(`layer ${digest} in the cache was damaged and is removed`, {
      hint: 'npm run up',
      exitCode: exitCodes.image,
    });
  }
}

/** Milliseconds within which a second use of an entry is not recorded, since many commands ask for every image. */
const useInterval = 60 * 60 * 1000;

/** Opens the store in a folder, which is created with the first entry. */
export function openStore(folder: string): Store {
  const blobPath = (digest: Digest) => join(folder, 'blobs', digest.replace(':', '/'));
  const imagePath = (key: string) => join(folder, 'images', `${key}.json`);
  const filePath = (key: string) => join(folder, 'files', key);
  const usePath = (name: string) => join(folder, 'used', encodeURIComponent(name));

  let swept: Promise<void> | undefined;
  /** A temporary path on the same disk. */
  const reserveWorkPath = async () => {
    swept ??= sweep(join(folder, 'work'));
    await swept;
    return join(folder, 'work', `${process.pid}-${randomUUID()}`);
  };

  /** Writes to a temporary path and renames it. */
  async function place(path: string, write: (path: string) => Promise<void>): Promise<void> {
    const temporary = await reserveWorkPath();
    await makeFolder(dirname(path));
    try {
      await writeTo(path, async () => {
        await write(temporary);
        await sync(temporary);
      });
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true, recursive: true });
    }
  }

  async function markUsed(name: string): Promise<void> {
    if (await refresh(usePath(name))) return;
    try {
      await makeFolder(dirname(usePath(name)));
      await writeFile(usePath(name), '');
    } catch {
      // A cache that cannot be written is used all the same.
    }
  }

  async function findLastUse(name: string): Promise<number> {
    return (await stat(usePath(name)).catch(absent))?.mtimeMs ?? 0;
  }

  async function* readBlob(digest: Digest): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(blobPath(digest), { highWaterMark: 1024 * 1024 })) {
      hash.update(chunk);
      yield chunk;
    }
    if (`sha256:${hash.digest('hex')}` === digest) return;
    await rm(blobPath(digest), { force: true });
    throw new DamagedBlob(digest);
  }

  return {
    async putBlob(content) {
      const hash = createHash('sha256');
      let size = 0;
      const temporary = await reserveWorkPath();
      try {
        const count = async function* (chunks: AsyncIterable<Uint8Array>) {
          for await (const chunk of chunks) {
            hash.update(chunk);
            size += chunk.length;
            yield chunk;
          }
        };
        await writeTo(temporary, () =>
          pipeline(content, count, createWriteStream(temporary, { flush: true })),
        );
        const digest: Digest = `sha256:${hash.digest('hex')}`;
        await makeFolder(dirname(blobPath(digest)));
        await rename(temporary, blobPath(digest));
        return { digest, size };
      } finally {
        await rm(temporary, { force: true });
      }
    },

    openBlob: (digest) => Readable.from(readBlob(digest)),

    async findBlob(digest) {
      const found = await stat(blobPath(digest)).catch(absent);
      return found && { digest, size: found.size };
    },

    async findImage(key) {
      const text = await readFile(imagePath(key), 'utf8').catch(absent);
      if (text === undefined) return undefined;
      const image = parseImage(text);
      if (!image) return undefined;
      const sizes = await Promise.all(
        image.layers.map((layer) => stat(blobPath(layer.digest)).then(({ size }) => size, absent)),
      );
      if (!image.layers.every((layer, at) => sizes[at] === layer.size)) return undefined;
      await refresh(imagePath(key));
      return image;
    },

    putImage: (key, image) => place(imagePath(key), (path) => writeFile(path, JSON.stringify(image))),

    async findFile(key) {
      if (!(await stat(filePath(key)).catch(absent))) return undefined;
      // Beside the file, since who links to it knows it by its own time.
      await markUsed(key);
      return filePath(key);
    },

    async putFile(key, write) {
      await place(filePath(key), write);
      return filePath(key);
    },

    markUsed,
    findLastUse,

    async withWorkFolder(work) {
      const path = await reserveWorkPath();
      await mkdir(path);
      try {
        return await work(path);
      } finally {
        await rm(path, { force: true, recursive: true });
      }
    },

    async list() {
      const [images, files, blobs] = await Promise.all(
        ['images', 'files', 'blobs/sha256'].map((name) => listFiles(join(folder, name))),
      );
      return {
        images: await Promise.all(
          (images ?? []).map(async ({ name, modified }) => {
            const key = basename(name, '.json');
            const text = await readFile(imagePath(key), 'utf8').catch(absent);
            return { key, modified, image: text === undefined ? undefined : parseImage(text) };
          }),
        ),
        files: await Promise.all(
          (files ?? []).map(async ({ name: key, bytes, modified }) => ({
            key,
            bytes,
            modified: Math.max(modified, await findLastUse(key)),
          })),
        ),
        blobs: (blobs ?? []).map(({ name, ...entry }) => ({ digest: `sha256:${name}` as const, ...entry })),
      };
    },

    async remove({ images, files, blobs }) {
      // Images first: an image without its blobs counts as missing anyway.
      const paths = [...images.map(imagePath), ...files.map(filePath), ...blobs.map(blobPath)];
      for (const path of [...paths, ...files.map(usePath)]) {
        await rm(path, { force: true });
      }
    },
  };
}

/** Records that the file is used, in its time of change. Resolves to whether it exists. */
async function refresh(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return false;
  const now = new Date();
  if (now.getTime() - found.mtimeMs > useInterval) {
    // A cache that cannot be written is used all the same.
    await utimes(path, now, now).catch(() => {});
  }
  return true;
}

async function listFiles(folder: string) {
  const names = (await readdir(folder).catch(absent)) ?? [];
  const found = await Promise.all(
    names.sort().map(async (name) => {
      const stats = await stat(join(folder, name)).catch(absent);
      return stats ? [{ name, bytes: stats.size, modified: stats.mtimeMs }] : [];
    }),
  );
  return found.flat();
}

/** Creates the folder, and removes what dead processes left in it. */
async function sweep(work: string): Promise<void> {
  await makeFolder(work);
  for (const name of await readdir(work)) {
    const owner = await findProcess(Number.parseInt(name, 10));
    if (!owner) await rm(join(work, name), { force: true, recursive: true });
  }
}

/** Without it a loss of power may leave an empty file under the final name. */
async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Turns ENOENT into undefined; any other error is thrown. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/** Parses an image entry; undefined when it is invalid, as after a full disk, so that it is made again. */
function parseImage(text: string): Image | undefined {
  try {
    const value = JSON.parse(text) as Partial<Image>;
    return typeof value.config === 'string' && Array.isArray(value.layers) ? (value as Image) : undefined;
  } catch {
    return undefined;
  }
}
