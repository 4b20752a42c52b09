import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Digest, Image, Layer } from '../lib/oci.ts';

/**
 * What was pulled or built, shared by all checkouts of this user and safe to delete.
 * Every entry appears whole or not at all: it is written beside its place and renamed.
 */
export interface Store {
  /** Adds a blob from a stream and resolves to its digest and size. */
  putBlob(content: Readable): Promise<Layer>;
  openBlob(digest: Digest): Readable;
  /** The image kept under a key; undefined when it, or one of its blobs, is not here. */
  findImage(key: string): Promise<Image | undefined>;
  putImage(key: string, image: Image): Promise<void>;
  /** The path of the file kept under a key; undefined when it is not here. */
  findFile(key: string): Promise<string | undefined>;
  /** Lets `write` make a file and keeps it under a key; resolves to its path. */
  putFile(key: string, write: (path: string) => Promise<void>): Promise<string>;
  /** A folder on the same disk for work in progress; removed afterwards. */
  withWorkFolder<T>(work: (folder: string) => Promise<T>): Promise<T>;
}

export function openStore(folder: string): Store {
  const blobPath = (digest: Digest) => join(folder, 'blobs', digest.replace(':', '/'));
  const imagePath = (key: string) => join(folder, 'images', `${key}.json`);
  const filePath = (key: string) => join(folder, 'files', key);
  const workPath = () => join(folder, 'work', `${process.pid}-${randomUUID()}`);

  /** Makes something at a private path and moves it into place: readers never see half of it. */
  async function place(path: string, write: (path: string) => Promise<void>): Promise<void> {
    const temporary = workPath();
    await Promise.all([
      mkdir(dirname(temporary), { recursive: true }),
      mkdir(dirname(path), { recursive: true }),
    ]);
    try {
      await write(temporary);
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true, recursive: true });
    }
  }

  return {
    async putBlob(content) {
      const hash = createHash('sha256');
      let size = 0;
      const temporary = workPath();
      await mkdir(dirname(temporary), { recursive: true });
      try {
        await pipeline(
          content,
          async function* (chunks: AsyncIterable<Uint8Array>) {
            for await (const chunk of chunks) {
              hash.update(chunk);
              size += chunk.length;
              yield chunk;
            }
          },
          createWriteStream(temporary),
        );
        const digest: Digest = `sha256:${hash.digest('hex')}`;
        await mkdir(dirname(blobPath(digest)), { recursive: true });
        await rename(temporary, blobPath(digest));
        return { digest, size };
      } finally {
        await rm(temporary, { force: true });
      }
    },

    openBlob: (digest) => createReadStream(blobPath(digest), { highWaterMark: 1024 * 1024 }),

    async findImage(key) {
      const text = await readFile(imagePath(key), 'utf8').catch(absent);
      if (text === undefined) return undefined;
      const image = parseImage(text);
      if (!image) return undefined;
      const sizes = await Promise.all(
        image.layers.map((layer) => stat(blobPath(layer.digest)).then(({ size }) => size, absent)),
      );
      return image.layers.every((layer, at) => sizes[at] === layer.size) ? image : undefined;
    },

    putImage: (key, image) => place(imagePath(key), (path) => writeFile(path, JSON.stringify(image))),

    async findFile(key) {
      return (await stat(filePath(key)).catch(absent)) ? filePath(key) : undefined;
    },

    async putFile(key, write) {
      await place(filePath(key), write);
      return filePath(key);
    },

    async withWorkFolder(work) {
      const path = workPath();
      await mkdir(path, { recursive: true });
      try {
        return await work(path);
      } finally {
        await rm(path, { force: true, recursive: true });
      }
    },
  };
}

/** Turns "there is no such file" into undefined; everything else is thrown on. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/** An image entry; undefined when the text is not one, as after a full disk: it is made anew then. */
function parseImage(text: string): Image | undefined {
  try {
    const value = JSON.parse(text) as Partial<Image>;
    return typeof value.config === 'string' && Array.isArray(value.layers) ? (value as Image) : undefined;
  } catch {
    return undefined;
  }
}

/** Bytes that the folder's files take. */
export async function measureFolder(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(absent);
  let total = 0;
  for (const entry of entries ?? []) {
    if (entry.isFile()) total += (await stat(join(entry.parentPath, entry.name)).catch(absent))?.size ?? 0;
  }
  return total;
}
