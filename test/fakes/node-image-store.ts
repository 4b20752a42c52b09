import type { Digest } from '../../src/lib/oci.ts';
import type { ImageQuery, RemovedImages } from '../../src/tools/docker/node-image-store.ts';

/** Of a node's images by reference, those that a query is for. */
export function selectImages(images: ReadonlyMap<string, Digest>, query: ImageQuery): Map<string, Digest> {
  const isAsked = (name: string) =>
    'references' in query ? query.references.includes(name) : name.startsWith(`${query.repository}:`);
  return new Map([...images].filter(([name]) => isAsked(name)));
}

/** As a node removes images, which has each under its ID as well. */
export function deleteImages(images: Map<string, Digest>, { references, digests }: RemovedImages): void {
  for (const reference of references) images.delete(reference);
  for (const [name, digest] of images) {
    if (name.startsWith('sha256:') && digests.includes(digest)) images.delete(name);
  }
}
