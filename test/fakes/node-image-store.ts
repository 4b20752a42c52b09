import type { Digest } from '../../src/lib/oci.ts';
import type { ImageQuery, RemovedImages } from '../../src/tools/docker/node-image-store.ts';

/** Selects the images of a query from a node's images by reference. */
export function selectImages(images: ReadonlyMap<string, Digest>, query: ImageQuery): Map<string, Digest> {
  const isAsked = (name: string) =>
    'references' in query ? query.references.includes(name) : name.startsWith(`${query.repository}:`);
  return new Map([...images].filter(([name]) => isAsked(name)));
}

/** Removes images like a node, which also lists each image under its ID. */
export function deleteImages(images: Map<string, Digest>, { references, digests }: RemovedImages): void {
  for (const reference of references) images.delete(reference);
  for (const [name, digest] of images) {
    if (name.startsWith('sha256:') && digests.includes(digest)) images.delete(name);
  }
}
