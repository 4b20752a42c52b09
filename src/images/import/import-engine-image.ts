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

/** Layers above this number are sooner read with all the others. */
const maxLayers = 6;

/**
 * Brings an image that the engine has built into the store. Only the layers that the store lacks are read, where the
 * engine keeps layers as folders and those were copied together: their tars are made here, and have digests of their
 * own. Otherwise the engine saves the whole, which takes seconds for each hundred megabytes.
 * @throws {Failure} exit code 7 when the image is not there, or the engine's archive cannot be used.
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
      ? 'none of its layers is known yet'
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

/** The lowest layers that the store has, up to the first that it lacks. */
async function listCachedLayers(store: Store, diffIds: readonly string[]): Promise<readonly Layer[]> {
  const known: Layer[] = [];
  for (const diffId of diffIds) {
    const layer = await store.findBlob(diffId as Digest);
    if (!layer) break;
    known.push(layer);
  }
  return known;
}

/** Instructions that make no layer. */
const withoutLayer =
  /^(?:\/bin\/sh -c #\(nop\) +)?(?:ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL|USER|VOLUME)\b/;

/** Those that only add: what removes folders leaves marks in a layer's folder that its tar would not have. */
const onlyAdding = /^(?:\/bin\/sh -c #\(nop\) +)?(?:ADD|COPY|WORKDIR|fileop)\b/;

/** Why the uppermost layers cannot be read alone; undefined when they can. */
async function findWholeReadReason(
  { docker }: EngineImageDeps,
  { id, layerFolders }: DockerImage,
  count: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (layerFolders.length === 0) return 'the engine keeps no folder for each layer';
  const history = await docker.listHistory(id, { signal });
  const made = history.filter((instruction) => !withoutLayer.test(instruction)).slice(0, count);
  const other = made.find((instruction) => !onlyAdding.test(instruction));
  if (other === undefined && made.length === count) return undefined;
  return `a new layer was made by ${other?.slice(0, 40) ?? 'what is not told'}`;
}

/** The uppermost layers, the lowest of them first, each from its folder: seen by a container that is never started. */
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
    // Also when aborted: what is not removed stays for ever.
    await docker.removeContainer(container);
  }
}

/** The tar of a layer's folder as that of the layer: below its root, and with the marks of what was removed. */
function toLayer(archive: Readable): Readable {
  const strip = (path: string) => posix.normalize(path).replace(/^\/?[^/]*\/?/, '');
  return packTar(async (tar) => {
    for await (const entry of readTar(archive)) {
      const header = { ...entry.header, uname: '', gname: '', pax: toAttributes(entry.header.pax) };
      const name = strip(header.name);
      if (name === '') entry.resume();
      else if (header.type === 'character-device' && header.devmajor === 0 && header.devminor === 0) {
        // overlayfs marks what was removed by such a device, an image by a file of another name.
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

/** Of an entry's further header only what its file bears: the rest repeats its name, as it was. */
function toAttributes(pax: unknown): Record<string, string> | null {
  const kept = Object.entries((pax ?? {}) as Record<string, string>).filter(([key]) =>
    key.startsWith('SCHILY.xattr.'),
  );
  return kept.length === 0 ? null : Object.fromEntries(kept);
}

/** The image's own configuration, with other digests for the layers that were made here. */
function toConfig({ architecture, os, config }: DockerImage, layers: readonly Layer[]): string {
  const set = Object.entries(config).filter(([, value]) => value !== null && value !== '' && value !== false);
  return JSON.stringify({
    architecture,
    os,
    config: Object.fromEntries(set),
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
}
