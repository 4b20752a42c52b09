import { text } from 'node:stream/consumers';
import { Failure } from '../../lib/failure.ts';
import type { Digest, Image, Layer } from '../../lib/oci.ts';
import type { DockerImage } from '../../tools/docker/images.ts';
import { readTar } from '../store/tar.ts';
import { uncompress } from './uncompress.ts';
import { type EngineImageDeps, withReader } from './with-reader.ts';

interface Descriptor {
  readonly digest: Digest;
  readonly platform?: { readonly architecture: string; readonly os: string };
}

/** The image-spec's manifest, or its index of one manifest per platform. */
interface Manifest {
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

/** Where containerd has its content: started by the engine, or by the system beside it. */
function toContentFolders(dockerRoot: string): readonly [own: string, system: string] {
  const below = 'io.containerd.content.v1.content/blobs/sha256';
  return [`${dockerRoot}/containerd/daemon/${below}`, `/var/lib/containerd/${below}`];
}

const place = '/.wealist-content';

/**
 * The image, of which only layers that the store lacks are read, from the folder in which containerd has the layers as
 * files. @throws {Failure} when that folder cannot be read through the engine.
 */
export async function readContentStore(
  deps: EngineImageDeps,
  image: DockerImage,
  signal: AbortSignal,
): Promise<Image> {
  const [own, system] = toContentFolders(await deps.docker.readRoot({ signal }));
  try {
    return await readImage(deps, image, own, signal);
  } catch (error) {
    signal.throwIfAborted();
    return readImage(deps, image, system, signal).catch(() => {
      signal.throwIfAborted();
      throw toFailure(error);
    });
  }
}

async function readImage(
  { docker, store }: EngineImageDeps,
  image: DockerImage,
  folder: string,
  signal: AbortSignal,
): Promise<Image> {
  return withReader(docker, { image: image.id, folders: { [place]: folder } }, signal, async (read) => {
    async function* open({ digest }: Descriptor): AsyncGenerator<Buffer> {
      const archive = await read(`${place}/${digest.replace(/^.*:/, '')}`);
      for await (const entry of readTar(archive)) {
        for await (const chunk of entry) yield chunk as Buffer;
      }
    }
    const manifest = await readManifest(image, async (each) => JSON.parse(await text(open(each))));
    const { config, layers: stored = [] } = manifest;
    if (!config || stored.length !== image.layers.length) {
      throw new Failure(`its manifest has ${stored.length} layers, the image has ${image.layers.length}`);
    }
    const layers: Layer[] = [];
    for (const [at, descriptor] of stored.entries()) {
      const diffId = image.layers[at] as Digest;
      const layer = (await store.findBlob(diffId)) ?? (await store.putBlob(uncompress(open(descriptor))));
      if (layer.digest !== diffId) throw new Failure(`its layer ${diffId} is ${layer.digest} in ${folder}`);
      layers.push(layer);
    }
    return { config: await text(open(config)), layers };
  });
}

/** A file that is cut off or damaged is one more reason to read the image in another way. */
function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure(`its layers cannot be read: ${error instanceof Error ? error.message : error}`);
}

/** The manifest for the image's platform. A build also puts one for its attestations into the index. */
async function readManifest(
  { id, os, architecture }: DockerImage,
  read: (descriptor: Descriptor) => Promise<Manifest>,
): Promise<Manifest> {
  const top = await read({ digest: id as Digest });
  if (!top.manifests) return top;
  const own = top.manifests.find(
    ({ platform }) => platform?.os === os && platform.architecture === architecture,
  );
  if (!own) throw new Failure(`its index has no manifest for ${os}/${architecture}`);
  return read(own);
}
