import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { type Digest, digestOf, type Image, type Layer } from '../../lib/oci.ts';
import type { Store } from '../store/store.ts';
import { readTar } from '../store/tar.ts';
import { uncompress } from './uncompress.ts';

/** Bytes up to which a file is read into memory. Configurations and manifests have a few kilobytes. */
const largestText = 4 * 1024 * 1024;

/** The archive's files by their paths. */
interface Contents {
  readonly texts: Map<string, string>;
  readonly layers: Map<string, Layer>;
  /** Links to a layer: path → path of the layer. */
  readonly links: Map<string, string>;
}

/**
 * Imports the one image of a `docker save` archive into the store: Docker 20.10's format, or the OCI layout with a
 * manifest.json of Docker 25 and later. Layers are stored uncompressed.
 * @throws {Failure} exit code 7 when the archive is invalid, or a layer's digest differs from the configuration's.
 */
export async function importArchive(archive: Readable, store: Store): Promise<Image> {
  const { texts, layers, links } = await readContents(archive, store);
  const entries = toManifest(texts.get('manifest.json'));
  const [entry] = entries;
  if (!entry || entries.length > 1) throw toFailure(`it holds ${entries.length} images, not one`);

  const config = texts.get(entry.Config);
  if (config === undefined) throw toFailure(`its configuration ${entry.Config} is missing`);
  const named = posix.basename(entry.Config, '.json');
  if (/^[0-9a-f]{64}$/.test(named) && digestOf(config) !== `sha256:${named}`) {
    throw toFailure('its configuration does not have the digest in its name');
  }
  const { rootfs } = JSON.parse(config) as { readonly rootfs?: { readonly diff_ids?: readonly Digest[] } };
  const diffIds = rootfs?.diff_ids ?? [];
  if (diffIds.length !== entry.Layers.length) {
    throw toFailure(`it has ${entry.Layers.length} layers, its configuration names ${diffIds.length}`);
  }
  return { config, layers: entry.Layers.map((path, at) => getLayer(path, diffIds[at])) };

  function getLayer(path: string, diffId: Digest | undefined): Layer {
    const layer = layers.get(links.get(path) ?? path);
    if (!layer) throw toFailure(`its layer ${path} is missing`);
    if (layer.digest !== diffId) {
      throw toFailure(`its layer ${path} is ${layer.digest}, its configuration names ${diffId}`);
    }
    return layer;
  }
}

interface ManifestEntry {
  readonly Config: string;
  readonly Layers: readonly string[];
}

function toManifest(text: string | undefined): readonly ManifestEntry[] {
  if (text === undefined) throw toFailure('it has no manifest.json');
  const entries: unknown = JSON.parse(text);
  const isManifest =
    Array.isArray(entries) && entries.every(({ Config, Layers }) => Config && Array.isArray(Layers));
  if (!isManifest) throw toFailure('its manifest.json is invalid');
  return entries;
}

/** Reads the tar in one pass: Docker writes the manifest, which says what each file is, at the end. */
async function readContents(archive: Readable, store: Store): Promise<Contents> {
  const contents: Contents = { texts: new Map(), layers: new Map(), links: new Map() };
  try {
    for await (const entry of readTar(archive)) {
      const { name, type, linkname, size = 0 } = entry.header;
      const path = posix.normalize(name);
      if (type === 'symlink' && linkname) {
        contents.links.set(path, posix.join(posix.dirname(path), linkname));
      } else if (type === 'link' && linkname) {
        contents.links.set(path, posix.normalize(linkname));
      }
      if (type !== 'file') entry.resume();
      else if (size <= largestText) await addSmallFile(path, await buffer(entry));
      else if (isLayer(path)) contents.layers.set(path, await store.putBlob(uncompress(entry)));
      else entry.resume();
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw toFailure('it is incomplete or damaged', error);
  }
  return contents;

  async function addSmallFile(path: string, content: Buffer): Promise<void> {
    if (isJson(content)) contents.texts.set(path, content.toString());
    else if (isLayer(path)) {
      contents.layers.set(path, await store.putBlob(uncompress([content])));
    }
  }
}

/** `<id>/layer.tar` of Docker 20.10, `blobs/sha256/<digest>` of an OCI layout, `<digest>.tar` of other programs. */
function isLayer(path: string): boolean {
  return /(^|\/)(layer\.tar|[0-9a-f]{64}(\.tar)?)$/.test(path);
}

function isJson(content: Buffer): boolean {
  try {
    JSON.parse(content.toString());
    return true;
  } catch {
    // A layer, or a version file of the old format.
    return false;
  }
}

function toFailure(problem: string, cause?: unknown): Failure {
  return new Failure(`the engine's archive of an image cannot be used: ${problem}`, {
    cause,
    hint: 'npm run doctor',
    exitCode: exitCodes.image,
  });
}
