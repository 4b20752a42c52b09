import type { Readable } from 'node:stream';
import { type Digest, digestOf, type Image, imageId, type Layer, toManifest } from '../../lib/oci.ts';
import type { Store } from './store.ts';
import { addContent, packTar } from './tar.ts';

export interface NamedImage {
  /** Full reference: registry, path and tag. */
  readonly reference: string;
  readonly image: Image;
}

/**
 * Images as one tar that both `docker load` and `ctr images import` read: an OCI layout with Docker's manifest.json. Layers
 * in `skip` are left out: neither containerd nor Docker needs the blob of a layer that it already has unpacked.
 */
export function packArchive(
  store: Store,
  images: readonly NamedImage[],
  skip: ReadonlySet<Digest> = new Set(),
): Readable {
  return packTar(async (tar) => {
    const blobs = new Map<Digest, string>();
    for (const { image } of images) {
      for (const text of [image.config, toManifest(image)]) blobs.set(digestOf(text), text);
    }
    const addText = (name: string, text: string) => tar.entry({ name }, text);
    addText('oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    addText('index.json', JSON.stringify({ schemaVersion: 2, manifests: images.map(describeManifest) }));
    addText('manifest.json', JSON.stringify(images.map(describeForDocker)));
    for (const [digest, text] of blobs) addText(blobName(digest), text);
    for (const { digest, size } of uniqueLayers(images)) {
      if (skip.has(digest)) continue;
      await addContent(tar, { name: blobName(digest), size }, store.openBlob(digest));
    }
  });
}

/** Every layer of the images, once. */
export function uniqueLayers(images: readonly NamedImage[]): readonly Layer[] {
  const layers = new Map(
    images.flatMap(({ image }) => image.layers.map((layer) => [layer.digest, layer] as const)),
  );
  return [...layers.values()];
}

function blobName(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function describeManifest({ reference, image }: NamedImage) {
  const manifest = toManifest(image);
  const { architecture, os } = JSON.parse(image.config) as { architecture: string; os: string };
  return {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(manifest),
    size: Buffer.byteLength(manifest),
    annotations: {
      'io.containerd.image.name': reference,
      'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1),
    },
    platform: { architecture, os },
  };
}

function describeForDocker({ reference, image }: NamedImage) {
  return {
    Config: blobName(imageId(image)),
    RepoTags: [reference],
    Layers: image.layers.map(({ digest }) => blobName(digest)),
  };
}
