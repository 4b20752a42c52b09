import { exitCodes, Failure } from '../lib/failure.ts';
import { type Digest, digestOf, toChainIds, toManifest } from '../lib/oci.ts';
import type { Run } from '../lib/plan.ts';
import type { Nodes } from '../tools/nodes.ts';
import { type NamedImage, packArchive, uniqueLayers } from './archive.ts';
import type { Store } from './store.ts';

export interface LoadParts {
  readonly nodes: Nodes;
  readonly store: Store;
}

/** The images that the node does not have under their reference with exactly this content. */
export async function findUnloaded(
  images: readonly NamedImage[],
  node: string,
  { nodes }: Pick<LoadParts, 'nodes'>,
  signal: AbortSignal,
): Promise<readonly NamedImage[]> {
  const present = await nodes.listImages(node, signal);
  return images.filter(({ reference, image }) => present.get(reference) !== digestOf(toManifest(image)));
}

/**
 * Brings images onto a node; only the layers that it lacks travel. A node whose garbage collection has just taken a
 * layer that was counted on gets everything, said in one line.
 * @throws {Failure} when the node does not have every image afterwards.
 */
export async function loadImages(
  images: readonly NamedImage[],
  node: string,
  { nodes, store }: LoadParts,
  { signal, report }: Run,
): Promise<void> {
  const present = await nodes.listContent(node, signal);
  const skip = layersOn(present, images);
  const travelling = uniqueLayers(images).filter(({ digest }) => !skip.has(digest));
  const megabytes = travelling.reduce((sum, { size }) => sum + size, 0) / 1e6;
  report(`${images.length} images, ${travelling.length} layers, ${megabytes.toFixed(1)} MB`);
  try {
    await nodes.importImages(node, packArchive(store, images, skip), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (skip.size === 0) throw error;
    report('the node has lost a layer it had: loading everything');
    // A failed import leaves the name behind, with nothing under it.
    await nodes.removeImages(
      node,
      images.map(({ reference }) => reference),
      signal,
    );
    await nodes.importImages(node, packArchive(store, images), signal);
  }
  const [missing] = await findUnloaded(images, node, { nodes }, signal);
  if (missing) {
    throw new Failure(`image ${missing.reference} is not on node ${node} after it was loaded`, {
      hint: 'npm run doctor',
      exitCode: exitCodes.image,
    });
  }
}

/** The layers of the images that the node has, as a blob or unpacked on top of the very layers below it. */
function layersOn(present: ReadonlySet<Digest>, images: readonly NamedImage[]): ReadonlySet<Digest> {
  const found = new Set<Digest>();
  const lacking = new Set<Digest>();
  for (const { image } of images) {
    const chain = toChainIds(image.layers);
    image.layers.forEach(({ digest }, at) => {
      const here = present.has(digest) || present.has(chain[at] as Digest);
      (here ? found : lacking).add(digest);
    });
  }
  // Unpacked in one image and missing in another: the blob must travel.
  return new Set([...found].filter((digest) => !lacking.has(digest)));
}
