import type { Environment, Live } from '../config/schema.ts';
import type { Image } from '../lib/oci.ts';

/** The live folders of a service that is built so. */
export function findLive(
  { services }: Pick<Environment, 'services'>,
  name: string,
  { isStandIn }: { readonly isStandIn: boolean },
): readonly Live[] {
  const build = isStandIn ? 'stand-in' : 'source';
  return services[name]?.live.filter((live) => live.build === build) ?? [];
}

/** The folders that are volumes of its image for that. */
export function listVolumes(...service: Parameters<typeof findLive>): readonly string[] {
  return findLive(...service).map(({ to }) => to);
}

/**
 * The image with these folders declared as volumes. The node's container runtime makes a folder of its own for each,
 * filled with what the image has there, in every container: it can be written to from the node, while the root file
 * system stays read-only, and neither the chart nor the image's programs have a part in it.
 */
export function withVolumes(image: Image, folders: readonly string[]): Image {
  if (folders.length === 0) return image;
  const { config = {}, ...rest } = JSON.parse(image.config) as { config?: { Volumes?: object } };
  const volumes = Object.fromEntries(folders.map((folder) => [folder, {}]));
  const changed = { ...rest, config: { ...config, Volumes: { ...config.Volumes, ...volumes } } };
  return { ...image, config: JSON.stringify(changed) };
}
