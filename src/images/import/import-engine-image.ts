import { exitCodes, Failure } from '../../lib/failure.ts';
import type { Digest, Image, Layer } from '../../lib/oci.ts';
import type { Run } from '../../plan/plan.ts';
import type { DockerImage } from '../../tools/docker/images.ts';
import type { Store } from '../store/store.ts';
import { readContentStore } from './content-store.ts';
import { importArchive } from './import-archive.ts';
import { findWholeReadReason, readLayerFolders } from './layer-folders.ts';
import type { EngineImageDeps } from './with-reader.ts';

/** Above this number of new layers, saving the whole image is faster. */
const maxLayers = 6;

/**
 * Imports an image that the engine has built into the store. Only layers that the store lacks are read: from the files of
 * containerd's image store, or from overlay2's folders if the new layers only add files; the tars of those are packed here
 * and so have other digests than the engine's. Otherwise the engine saves the whole image, which takes seconds for each
 * hundred megabytes.
 * @throws {Failure} exit code 7 when the engine does not have the image, or its archive cannot be used.
 */
export async function importEngineImage(deps: EngineImageDeps, name: string, run: Run): Promise<Image> {
  const { docker, store } = deps;
  const { signal, report } = run;
  const found = await docker.findImage(name, { signal });
  if (!found) throw new Failure(`image ${name} is not in the engine`, { exitCode: exitCodes.image });
  const readLayers = found.layerFolders.length > 0 ? readFromFolders : readContentStore;
  try {
    return await readLayers(deps, found, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    report(`reading the whole image: ${error.message}`);
  }
  return importArchive(await docker.saveImages([name], { signal }), store);
}

/** @throws {Failure} with the reason why the whole image must be read. */
async function readFromFolders(
  deps: EngineImageDeps,
  found: DockerImage,
  signal: AbortSignal,
): Promise<Image> {
  const below = await listCachedLayers(deps.store, found.layers);
  const newCount = found.layers.length - below.length;
  const reason =
    below.length === 0
      ? 'none of its layers is cached'
      : newCount > maxLayers
        ? `${newCount} of its layers are new`
        : await findWholeReadReason(deps, found, newCount, signal);
  if (reason !== undefined) throw new Failure(reason);
  const layers = [...below, ...(await readLayerFolders(deps, found, newCount, signal))];
  return { config: toConfig(found, layers), layers };
}

/** The lowest layers, up to the first that the store lacks. */
async function listCachedLayers(store: Store, diffIds: readonly string[]): Promise<readonly Layer[]> {
  const known: Layer[] = [];
  for (const diffId of diffIds) {
    const layer = await store.findBlob(diffId as Digest);
    if (!layer) break;
    known.push(layer);
  }
  return known;
}

/** The image's configuration, with the digests of the layers that were packed here. */
function toConfig({ architecture, os, config }: DockerImage, layers: readonly Layer[]): string {
  const set = Object.entries(config).filter(([, value]) => value !== null && value !== '' && value !== false);
  return JSON.stringify({
    architecture,
    os,
    config: Object.fromEntries(set),
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
}
