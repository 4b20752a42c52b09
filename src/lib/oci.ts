import { hashContent } from './hash.ts';

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`;

/** A layer as an uncompressed tar, whose digest is also its diff ID. */
export interface Layer {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** An image whose blobs are in the store. `config` is the exact JSON text whose digest is the image ID. */
export interface Image {
  readonly config: string;
  readonly layers: readonly Layer[];
}

/** The part of an image configuration that says how its containers start (OCI image-spec, config.md). */
export interface ContainerConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly Labels?: Readonly<Record<string, string>>;
}

export function digestOf(content: string | Uint8Array): Digest {
  return `sha256:${hashContent(content)}`;
}

/** The image ID that Docker and the kubelet show: the digest of the configuration. */
export function imageId(image: Image): Digest {
  return digestOf(image.config);
}

/** The configuration text of an image; the same layers and settings always give the same text. */
export function toImageConfig(
  layers: readonly Layer[],
  container: ContainerConfig,
  architecture: string,
): string {
  return JSON.stringify({
    architecture,
    os: 'linux',
    config: container,
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
    // One entry for each layer: a builder that adds layers expects as many entries as layers.
    history: layers.map(() => ({ created_by: 'wealist-local' })),
  });
}

/** The manifest text of an image (OCI image-spec, manifest.md). */
export function toManifest(image: Image): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: imageId(image),
      size: Buffer.byteLength(image.config),
    },
    layers: image.layers.map(({ digest, size }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest,
      size,
    })),
  });
}

/**
 * The snapshot names containerd gives the layers: each stands for a layer with all below it
 * (OCI image-spec, config.md, "Layer ChainID").
 */
export function toChainIds(layers: readonly Layer[]): readonly Digest[] {
  const chain: Digest[] = [];
  for (const { digest } of layers) {
    const below = chain.at(-1);
    chain.push(below === undefined ? digest : digestOf(`${below} ${digest}`));
  }
  return chain;
}
