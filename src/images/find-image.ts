import type { Catalog, ImageName } from '../config/catalog.ts';
import type { Image } from '../lib/oci.ts';
import { type Reference, toReference, toTagged } from '../lib/reference.ts';
import { toBuiltReference } from './built-reference.ts';
import type { ImageKeys } from './image-keys.ts';
import type { Store } from './store/store.ts';

/** `pulled`: its upstream's image, from a registry or the engine. `built`: built here from packages. */
export type Origin = 'pulled' | 'built';

/** An outside image in the store. */
export interface ResolvedImage {
  readonly name: ImageName;
  /** Its name on the nodes; a built image never has its upstream's name. */
  readonly reference: string;
  readonly image: Image;
  readonly origin: Origin;
}

/** Finds an outside image in the store only. It imports no slow module, since `status` calls it, too. */
export function createImageFinder({
  catalog,
  keys,
  store,
}: {
  readonly catalog: Catalog;
  readonly keys: Pick<ImageKeys, 'pulled' | 'built'>;
  readonly store: Pick<Store, 'findImage'>;
}): (name: ImageName) => Promise<ResolvedImage | undefined> {
  return async (name) => {
    const pulled = await store.findImage(keys.pulled(name));
    if (pulled) return toPulled(catalog, name, pulled);
    const built = catalog[name].build ? await store.findImage(await keys.built(name)) : undefined;
    return built && toBuilt(name, built);
  };
}

/**
 * On the nodes a pulled image has the catalog's reference without the digest. The user's own is named by its content: one
 * that is built again has the same tag.
 */
export function toPulled(catalog: Catalog, name: ImageName, image: Image): ResolvedImage {
  if (catalog[name].own) return { name, image, origin: 'pulled', reference: toBuiltReference(name, image) };
  const reference = toTagged(toReference(catalog[name].pull) as Reference);
  return { name, image, origin: 'pulled', reference };
}

/** A built image is named by its content. */
export function toBuilt(name: ImageName, image: Image): ResolvedImage {
  return { name, image, origin: 'built', reference: toBuiltReference(name, image) };
}
