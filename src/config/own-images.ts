import { toFullReference } from '../lib/reference.ts';
import type { Catalog, ImageName } from './catalog.ts';
import { parse } from './parse.ts';
import type { Problem } from './problems.ts';
import { readText } from './read-text.ts';
import type { Environment } from './schema.ts';
import { findAt, type MapTree, overlay } from './tree.ts';
import { listValuesFiles } from './values.ts';

/** Images of the catalog that no chart takes from `images`. */
const notInCharts: readonly string[] = ['node', 'service-base', 'nginx'];

/**
 * The catalog with the images that an environment's values files name under `images` in place of its own, such as
 * PostgreSQL with PostGIS. They are taken from the engine or pulled; no recipe builds them.
 * @throws {ConfigFailure} for a file that cannot be read.
 */
export async function withOwnImages(
  catalog: Catalog,
  checkout: string,
  environment: Pick<Environment, 'name' | 'values'>,
): Promise<Catalog> {
  const layers = await Promise.all(
    listValuesFiles(environment).map(async (file) => parse((await readText(checkout, file)) ?? '', file)),
  );
  const images = layers.reduce(overlay);
  const own = Object.entries(catalog).flatMap(([name, { pull }]) => {
    const found = notInCharts.includes(name) ? undefined : findAt(images, ['images', name]);
    const reference = found?.kind === 'scalar' ? toFullReference(String(found.value)) : undefined;
    if (reference === undefined || reference === pull) return [];
    return [[name as ImageName, { pull: reference, build: false, own: true }] as const];
  });
  return { ...catalog, ...Object.fromEntries(own) };
}

/**
 * Images under `images` of a values file that would have no effect on this machine.
 * @param services names of the services, whose images are built here
 */
export function findUnusedImages(layer: MapTree, services: readonly string[]): readonly Problem[] {
  const images = findAt(layer, ['images']);
  if (images?.kind !== 'map') return [];
  return [...images.entries].flatMap(([name, { place, value }]) => {
    const path = ['images', name];
    if (services.includes(name)) {
      const text = `got the image of a service, which is built on this machine: set services.${name} in env/local.yaml`;
      return [{ place, path, text }];
    }
    if (notInCharts.includes(name)) {
      return [{ place, path, text: 'got an image that no chart takes from here, expected none' }];
    }
    const isFull = value.kind !== 'scalar' || toFullReference(String(value.value)) !== undefined;
    return isFull ? [] : [{ place: value.place, path, text: 'got an image without a tag, expected one' }];
  });
}
