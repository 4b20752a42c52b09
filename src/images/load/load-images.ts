import { exitCodes, Failure } from '../../lib/failure.ts';
import type { Run } from '../../plan/plan.ts';
import type { NodeLoad } from '../../tools/docker/node-image-store.ts';
import type { Nodes } from '../../tools/docker/nodes.ts';
import { type NamedImage, packArchive } from '../store/archive.ts';
import { DamagedBlob, type Store } from '../store/store.ts';
import { findMissingImages, toLayerDelta } from './delta.ts';

export interface LoadDeps {
  readonly nodes: Nodes;
  readonly store: Store;
}

/**
 * Loads the images that the node lacks, and of these only the layers that it lacks. When the node's garbage collection
 * has just removed a layer that was counted on, all layers are sent, and the run's progress says so.
 * @throws {Failure} exit code 7 when the node does not have every image afterwards.
 */
export async function loadImages(
  wanted: readonly NamedImage[],
  node: string,
  { nodes, store }: LoadDeps,
  { signal, report }: Run,
  opened: NodeLoad = nodes.openLoad(node, toImageQuery(wanted), signal),
): Promise<void> {
  const content = await opened.content;
  const images = findMissingImages(wanted, content);
  if (images.length === 0) {
    opened.close();
    return;
  }
  const { sent, skipped } = toLayerDelta(images, content.layers);
  const megabytes = sent.reduce((sum, { size }) => sum + size, 0) / 1e6;
  report(`${images.length} images, ${sent.length} layers, ${megabytes.toFixed(1)} MB`);
  const loaded = await opened.importImages(packArchive(store, images, skipped)).catch(async (error) => {
    signal.throwIfAborted();
    if (skipped.size === 0 || error instanceof DamagedBlob) throw error;
    report('a layer was removed from the node meanwhile: loading all layers');
    // A failed import leaves the name behind, with nothing under it.
    const query = toImageQuery(images);
    await nodes.removeImages(node, { ...query, digests: [] }, signal);
    return nodes.openLoad(node, query, signal).importImages(packArchive(store, images));
  });
  const [missing] = findMissingImages(images, { images: loaded });
  if (missing) {
    throw new Failure(`image ${missing.reference} is not on node ${node} after it was loaded`, {
      hint: 'npm run doctor',
      exitCode: exitCodes.image,
    });
  }
}

/** What to ask a node in order to know whether it has these images. */
export function toImageQuery(images: readonly NamedImage[]) {
  return { references: images.map(({ reference }) => reference) };
}
