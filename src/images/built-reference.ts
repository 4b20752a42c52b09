import { type Image, imageId } from '../lib/oci.ts';

/** The repository of an image that is built here: never that of its upstream, whose content it does not have. */
export function toRepository(name: string): string {
  return `wealist.local/${name}`;
}

/** `wealist.local/<name>:<first digits of the image ID>` */
export function toBuiltReference(name: string, image: Image): string {
  return `${toRepository(name)}:${imageId(image).slice('sha256:'.length, 'sha256:'.length + 12)}`;
}
