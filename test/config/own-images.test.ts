import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { loadCatalog } from '../../src/config/catalog.ts';
import { withOwnImages } from '../../src/config/own-images.ts';
import { toFullReference } from '../../src/lib/reference.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const repository = resolve(import.meta.dirname, '../..');

test('the images that values files name replace those of the catalog, the last file first', async () => {
  const catalog = await loadCatalog(repository);
  const checkout = await makeTemporaryFolder();
  await mkdir(join(checkout, 'helm/environments'), { recursive: true });
  await writeFile(
    join(checkout, 'helm/environments/base.yaml'),
    `images: { redis: "${catalog.redis.pull}" }`,
  );
  await writeFile(
    join(checkout, 'helm/environments/local-kind.yaml'),
    'images: { postgres: "pgvector/pgvector:pg17" }',
  );
  await writeFile(join(checkout, 'helm/mine.yaml'), 'images: { postgres: "postgis:17" }');
  const own = await withOwnImages(catalog, checkout, { name: 'local-kind', values: ['helm/mine.yaml'] });
  expect(own).toEqual({
    ...catalog,
    postgres: { pull: 'docker.io/library/postgis:17', build: false, own: true },
  });
});

test('the repository names no image of its own', async () => {
  const catalog = await loadCatalog(repository);
  expect(await withOwnImages(catalog, repository, { name: 'local-kind' })).toEqual(catalog);
});

test.each([
  ['postgis:17', 'docker.io/library/postgis:17'],
  ['postgis/postgis:17-3.5', 'docker.io/postgis/postgis:17-3.5'],
  ['ghcr.io/me/postgres:1', 'ghcr.io/me/postgres:1'],
  ['localhost:5001/postgres:1', 'localhost:5001/postgres:1'],
  ['postgres', undefined],
])('%s means %s', (short, full) => {
  expect(toFullReference(short)).toBe(full);
});
