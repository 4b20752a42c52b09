import type { Environment, Live } from '../../config/schema.ts';
import type { Image } from '../../lib/oci.ts';
import { packLayer } from '../store/layer.ts';
import type { Store } from '../store/store.ts';

/** The live folders of a service that is built so. */
export function findLiveFolders(
  { services }: Pick<Environment, 'services'>,
  name: string,
  { isStandIn }: { readonly isStandIn: boolean },
): readonly Live[] {
  const build = isStandIn ? 'stand-in' : 'source';
  return services[name]?.live.filter((live) => live.build === build) ?? [];
}

/** Where programs write for a moment. A volume of the pod would serve as well, and costs each start 0.3 s. */
const tmp = '/tmp';

/** The folders that are volumes of its image: what can be written to over a root file system that is read-only. */
export function listVolumes(...service: Parameters<typeof findLiveFolders>): readonly string[] {
  return [...new Set([tmp, ...findLiveFolders(...service).map(({ to }) => to)])];
}

/** The image with a folder `/tmp` that everybody may write to: one made from nothing has none, and its volume is root's. */
export async function withTmp(image: Image, store: Pick<Store, 'putBlob'>): Promise<Image> {
  const layer = await store.putBlob(packLayer([{ path: tmp.slice(1), mode: 0o1777, folder: true }]));
  const config = JSON.parse(image.config) as ImageConfig;
  const rootfs = { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, layer.digest] };
  const history = config.history && [...config.history, { created_by: `wealist-local: folder ${tmp}` }];
  return { layers: [...image.layers, layer], config: JSON.stringify({ ...config, rootfs, history }) };
}

/** What an image's configuration says of its layers (OCI image-spec, config.md). */
interface ImageConfig {
  readonly rootfs: { readonly diff_ids: readonly string[] };
  readonly history?: readonly object[];
}

/**
 * The image with these folders declared as volumes. The node's container runtime makes a folder of its own for each,
 * filled with what the image has there, in every container: it can be written to from the node, while the root file
 * system stays read-only, and neither the chart nor the image's programs have a part in it.
 */
export function withVolumes(image: Image, folders: readonly string[]): Image {
  const { config = {}, ...rest } = JSON.parse(image.config) as { config?: { Volumes?: object } };
  const volumes = Object.fromEntries(folders.map((folder) => [folder, {}]));
  const changed = { ...rest, config: { ...config, Volumes: { ...config.Volumes, ...volumes } } };
  return { ...image, config: JSON.stringify(changed) };
}
