import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { loadCatalog } from '../../src/config/catalog.ts';
import { openRecipes } from '../../src/images/build/recipes.ts';
import { findMissingParts } from '../../src/images/missing-parts.ts';
import { listRecipeInputs } from '../../src/images/store/recipe-inputs.ts';
import { openStore } from '../../src/images/store/store.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const checkout = resolve(import.meta.dirname, '../..');
const architecture = 'amd64';

async function openImages() {
  const [catalog, folder] = [await loadCatalog(checkout), await makeTemporaryFolder()];
  const recipes = openRecipes({ checkout, architecture });
  return { catalog, recipes, store: openStore(folder), architecture };
}

test('only what the store lacks of the recipes of these images', async () => {
  const images = await openImages();
  // S3's server is a Go program on a root of Debian packages.
  expect(await findMissingParts(images, ['s3'])).toEqual({ programs: 1, roots: 1 });
  expect(await findMissingParts(images, ['s3', 'redis', 'traefik'])).toEqual({ programs: 2, roots: 2 });

  const { files, roots } = await listRecipeInputs(images.recipes, ['s3'], architecture);
  const layer = await images.store.putBlob(Readable.from([Buffer.from('root')]));
  for (const key of roots) await images.store.putImage(key, { config: '', layers: [layer] });
  expect(await findMissingParts(images, ['s3'])).toEqual({ programs: 1, roots: 0 });
  for (const key of files) await images.store.putFile(key, (path) => writeFile(path, 'program'));
  expect(await findMissingParts(images, ['s3'])).toEqual({ programs: 0, roots: 0 });
});

test('an image that can only be pulled has no parts', async () => {
  expect(await findMissingParts(await openImages(), ['grafana'])).toEqual({ programs: 0, roots: 0 });
});
