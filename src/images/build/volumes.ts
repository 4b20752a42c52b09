import type { Environment, Live } from '../../config/schema.ts';
import type { ContainerConfig, Image, Layer } from '../../lib/oci.ts';
import { restartEntrypoint } from '../../tools/docker/restart-program.ts';
import { packLayer } from '../store/layer.ts';
import type { Store } from '../store/store.ts';

/** The live folders of a service, for the way in which it is built. */
export function findLiveFolders(
  { services }: Pick<Environment, 'services'>,
  name: string,
  { isStandIn }: { readonly isStandIn: boolean },
): readonly Live[] {
  const build = isStandIn ? 'stand-in' : 'source';
  return services[name]?.live.filter((live) => live.build === build) ?? [];
}

/** For temporary files. A volume in the pod would delay each start by 0.3 s. */
const tmp = '/tmp';

/** The folders that the image declares as volumes: they are writable although the root file system is read-only. */
export function listVolumes(...service: Parameters<typeof findLiveFolders>): readonly string[] {
  return [...new Set([tmp, ...findLiveFolders(...service).map(({ to }) => to)])];
}

/** What an image gets beside what it is built from: with another result of this, the image is another one. */
export function listAdditions(...service: Parameters<typeof findLiveFolders>): readonly string[] {
  const entrypoint = hasRestart(findLiveFolders(...service)) ? restartEntrypoint : [];
  return [...listVolumes(...service), ...entrypoint];
}

const hasRestart = (folders: readonly Live[]) => folders.some(({ then }) => then === 'restart');

/** Starts the image's program so that it can be restarted in its container, where a live folder wants that. */
export function withRestart(image: Image, folders: readonly Live[]): Image {
  if (!hasRestart(folders)) return image;
  const { config = {}, ...rest } = JSON.parse(image.config) as { config?: ContainerConfig };
  const Entrypoint = [...restartEntrypoint, ...(config.Entrypoint ?? [])];
  return { ...image, config: JSON.stringify({ ...rest, config: { ...config, Entrypoint } }) };
}

/** Adds a world-writable `/tmp`: an image from scratch has none, and the volume in its place would belong to root. */
export async function withTmp(image: Image, store: Pick<Store, 'putBlob'>): Promise<Image> {
  const layer = await store.putBlob(packLayer([{ path: tmp.slice(1), mode: 0o1777, folder: true }]));
  return addLayer(image, layer, `wealist-local: folder ${tmp}`);
}

/** Adds a layer; `createdBy` is its entry in the image's history. */
export function addLayer(image: Image, layer: Layer, createdBy: string): Image {
  const config = JSON.parse(image.config) as ImageConfig;
  const rootfs = { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, layer.digest] };
  const history = config.history && [...config.history, { created_by: createdBy }];
  return { layers: [...image.layers, layer], config: JSON.stringify({ ...config, rootfs, history }) };
}

/** The layers in an image's configuration (OCI image-spec, config.md). */
interface ImageConfig {
  readonly rootfs: { readonly diff_ids: readonly string[] };
  readonly history?: readonly object[];
}

/**
 * Declares these folders as volumes. For each container the node's runtime creates a folder on the node with the image's
 * files in it, which can be written to from the node while the root file system stays read-only. Neither the chart nor
 * the programs in the image have to support that.
 */
export function withVolumes(image: Image, folders: readonly string[]): Image {
  const { config = {}, ...rest } = JSON.parse(image.config) as { config?: { Volumes?: object } };
  const volumes = Object.fromEntries(folders.map((folder) => [folder, {}]));
  const changed = { ...rest, config: { ...config, Volumes: { ...config.Volumes, ...volumes } } };
  return { ...image, config: JSON.stringify(changed) };
}
