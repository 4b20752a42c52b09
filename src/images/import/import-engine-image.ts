import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { exitCodes, Failure } from '../../lib/failure.ts';
import type { Digest, Image, Layer } from '../../lib/oci.ts';
import type { Run } from '../../plan/plan.ts';
import { unfinishedPrefix } from '../../tools/docker/cli.ts';
import type { Docker } from '../../tools/docker/docker.ts';
import type { DockerImage } from '../../tools/docker/images.ts';
import type { Store } from '../store/store.ts';
import { addContent, packTar, readTar } from '../store/tar.ts';
import { importArchive } from './import-archive.ts';

export interface EngineImageDeps {
  readonly docker: Pick<
    Docker,
    'findImage' | 'listHistory' | 'saveImages' | 'createContainer' | 'readArchive' | 'removeContainer'
  >;
  readonly store: Store;
}

/** Above this number of new layers, saving the whole image is faster. */
const maxLayers = 6;

/**
 * Imports an image that the engine has built into the store. Where the engine stores layers as folders and the new
 * layers only add files, only these are read; their tars are packed here and so have other digests than the engine's.
 * Otherwise the engine saves the whole image, which takes seconds for each hundred megabytes.
 * @throws {Failure} exit code 7 when the engine does not have the image, or its archive cannot be used.
 */
export async function importEngineImage(deps: EngineImageDeps, name: string, run: Run): Promise<Image> {
  const { docker, store } = deps;
  const { signal, report } = run;
  const found = await docker.findImage(name, { signal });
  if (!found) throw new Failure(`image ${name} is not in the engine`, { exitCode: exitCodes.image });
  const below = await listCachedLayers(store, found.layers);
  const newCount = found.layers.length - below.length;
  const reason =
    below.length === 0
      ? 'none of its layers is cached'
      : newCount > maxLayers
        ? `${newCount} of its layers are new`
        : await findWholeReadReason(deps, found, newCount, signal);
  if (reason === undefined) {
    try {
      const above = await readLayers(deps, found, newCount, signal);
      return { config: toConfig(found, [...below, ...above]), layers: [...below, ...above] };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      report(`reading the whole image: ${error.message}`);
    }
  } else {
    report(`reading the whole image: ${reason}`);
  }
  return importArchive(await docker.saveImages([name], { signal }), store);
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

/** Instructions that create no layer. */
const withoutLayer =
  /^(?:\/bin\/sh -c #\(nop\) +)?(?:ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL|USER|VOLUME)\b/;

/** Instructions that only add files: a removed folder leaves an overlayfs mark that the layer's tar must not have. */
const onlyAdding = /^(?:\/bin\/sh -c #\(nop\) +)?(?:ADD|COPY|WORKDIR|fileop)\b/;

/** Why the whole image must be read; undefined when its `count` uppermost layers can be read alone. */
async function findWholeReadReason(
  { docker }: EngineImageDeps,
  { id, layerFolders }: DockerImage,
  count: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (layerFolders.length === 0) return 'the engine does not store layers as folders';
  const history = await docker.listHistory(id, { signal });
  const made = history.filter((instruction) => !withoutLayer.test(instruction)).slice(0, count);
  const other = made.find((instruction) => !onlyAdding.test(instruction));
  if (other === undefined && made.length === count) return undefined;
  return `a new layer was made by ${other?.slice(0, 40) ?? 'an unknown instruction'}`;
}

/** The `count` uppermost layers, lowest first, read from their folders through a container that is never started. */
async function readLayers(
  { docker, store }: EngineImageDeps,
  { id, layerFolders }: DockerImage,
  count: number,
  signal: AbortSignal,
): Promise<readonly Layer[]> {
  if (count === 0) return [];
  const places = layerFolders
    .slice(0, count)
    .map((source, at) => ({ source, place: `/.wealist-layer-${at}` }));
  const folders = Object.fromEntries(places.map(({ source, place }) => [place, source]));
  const unfinished = `${unfinishedPrefix}${process.pid}-${randomUUID()}`;
  const options = { name: unfinished, image: id, command: ['none'], folders };
  const container = await docker.createContainer(options, { signal });
  try {
    const layers = await Promise.all(
      places.map(async ({ place }) => {
        return store.putBlob(toLayer(await docker.readArchive(container, place, { signal })));
      }),
    );
    return layers.toReversed();
  } finally {
    // Also when aborted: otherwise the container would stay in the engine.
    await docker.removeContainer(container);
  }
}

/** Turns the tar of a layer's folder into the layer's: paths relative to the root, and OCI's whiteout files. */
function toLayer(archive: Readable): Readable {
  const strip = (path: string) => posix.normalize(path).replace(/^\/?[^/]*\/?/, '');
  return packTar(async (tar) => {
    for await (const entry of readTar(archive)) {
      const header = { ...entry.header, uname: '', gname: '', pax: toAttributes(entry.header.pax) };
      const name = strip(header.name);
      if (name === '') entry.resume();
      else if (header.type === 'character-device' && header.devmajor === 0 && header.devminor === 0) {
        // overlayfs marks a removed file with such a device, an image layer with a file `.wh.<name>`.
        tar.entry({ name: posix.join(posix.dirname(name), `.wh.${posix.basename(name)}`), mode: 0o600 }, '');
        entry.resume();
      } else if (header.type === 'file' || header.type === 'contiguous-file') {
        await addContent(tar, { ...header, name, size: header.size ?? 0 }, entry);
      } else {
        const { linkname } = header;
        tar.entry({
          ...header,
          name,
          ...(header.type === 'link' && linkname ? { linkname: strip(linkname) } : {}),
        });
        entry.resume();
      }
    }
  });
}

/** Only extended attributes of the pax header: its other fields repeat the old path. */
function toAttributes(pax: unknown): Record<string, string> | null {
  const attributes = Object.entries((pax ?? {}) as Record<string, string>).filter(([key]) =>
    key.startsWith('SCHILY.xattr.'),
  );
  return attributes.length === 0 ? null : Object.fromEntries(attributes);
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
