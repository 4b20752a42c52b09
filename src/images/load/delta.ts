import { type Digest, digestOf, type Layer, toChainIds, toManifest } from '../../lib/oci.ts';
import type { NodeContent } from '../../tools/docker/node-image-store.ts';
import { type NamedImage, uniqueLayers } from '../store/archive.ts';

/** The images that the node does not have under their reference with exactly this content. */
export function findMissingImages<I extends NamedImage>(
  wanted: readonly I[],
  { images }: Pick<NodeContent, 'images'>,
): readonly I[] {
  return wanted.filter(({ reference, image }) => images.get(reference) !== digestOf(toManifest(image)));
}

/** Which layers of some images have to be sent to a node. */
export interface LayerDelta {
  readonly sent: readonly Layer[];
  /** Already on the node. */
  readonly skipped: ReadonlySet<Digest>;
}

/**
 * The node has a layer as a blob, or unpacked on top of the same layers below it, which its chain ID says.
 * @param present digests and chain IDs of the layers on the node
 */
export function toLayerDelta(images: readonly NamedImage[], present: ReadonlySet<Digest>): LayerDelta {
  const found = new Set<Digest>();
  const missing = new Set<Digest>();
  for (const { image } of images) {
    const chain = toChainIds(image.layers);
    image.layers.forEach(({ digest }, at) => {
      const isPresent = present.has(digest) || present.has(chain[at] as Digest);
      (isPresent ? found : missing).add(digest);
    });
  }
  // A layer that is unpacked for one image and missing for another must be sent.
  const skipped = new Set([...found].filter((digest) => !missing.has(digest)));
  return { sent: uniqueLayers(images).filter(({ digest }) => !skipped.has(digest)), skipped };
}
