import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import type { Layer } from '../../lib/oci.ts';
import type { DockerImage } from '../../tools/docker/images.ts';
import { addContent, packTar, readTar } from '../store/tar.ts';
import { type EngineImageDeps, withReader } from './with-reader.ts';

/** Instructions that create no layer. */
const withoutLayer =
  /^(?:\/bin\/sh -c #\(nop\) +)?(?:ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL|USER|VOLUME)\b/;

/** Instructions that only add files: a removed folder leaves an overlayfs mark that the layer's tar must not have. */
const onlyAdding = /^(?:\/bin\/sh -c #\(nop\) +)?(?:ADD|COPY|WORKDIR|fileop)\b/;

/** Why the whole image must be read; undefined when its `count` uppermost layers can be read alone, from their folders. */
export async function findWholeReadReason(
  { docker }: EngineImageDeps,
  { id }: DockerImage,
  count: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const history = await docker.listHistory(id, { signal });
  const made = history.filter((instruction) => !withoutLayer.test(instruction)).slice(0, count);
  const other = made.find((instruction) => !onlyAdding.test(instruction));
  if (other === undefined && made.length === count) return undefined;
  return `a new layer was made by ${other?.slice(0, 40) ?? 'an unknown instruction'}`;
}

/** The `count` uppermost layers, lowest first, from the folders in which overlay2 has them. */
export async function readLayerFolders(
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
  return withReader(docker, { image: id, folders }, signal, async (read) => {
    const layers = await Promise.all(
      places.map(async ({ place }) => store.putBlob(toLayer(await read(place)))),
    );
    return layers.toReversed();
  });
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
