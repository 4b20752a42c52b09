import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hash } from '../../lib/hash.ts';
import type { Layer } from '../../lib/oci.ts';
import { bundledPackages } from '../source/stand-in-source.ts';
import { packLayer } from '../store/layer.ts';
import type { Store } from '../store/store.ts';
import { type BundledFile, bundlePackages } from './bundle.ts';
import { describeLockedPackages } from './locked-packages.ts';

/** The store's key of the layer of npm packages: a hash of their versions and of how they are bundled. */
export async function toPackagesKey(checkout: string): Promise<string> {
  const [lockFile, bundling] = await Promise.all([
    readFile(join(checkout, 'package-lock.json'), 'utf8'),
    readFile(join(import.meta.dirname, 'bundle.ts'), 'utf8'),
  ]);
  return `packages-${hash({ lines: describeLockedPackages(lockFile, bundledPackages), bundling })}`;
}

/**
 * The npm packages of all stand-ins as one cached layer: they are nine tenths of each program and rarely change, so a
 * reload neither bundles nor loads them.
 */
export async function ensurePackagesLayer(
  store: Store,
  checkout: string,
  bundle: () => Promise<readonly BundledFile[]> = bundlePackages,
): Promise<Layer> {
  const key = await toPackagesKey(checkout);
  const [found] = (await store.findImage(key))?.layers ?? [];
  if (found) return found;
  const layer = await store.putBlob(packLayer(await bundle()));
  await store.putImage(key, { config: '{}', layers: [layer] });
  return layer;
}
