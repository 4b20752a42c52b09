import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadCatalog } from '../../../src/config/catalog.ts';
import { openRecipes } from '../../../src/images/build/recipes.ts';
import { listRecipeInputs } from '../../../src/images/store/recipe-inputs.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const checkout = join(import.meta.dirname, '../../..');

async function copyRecipes() {
  const copy = await makeTemporaryFolder();
  await cp(join(checkout, 'images'), join(copy, 'images'), { recursive: true });
  await mkdir(join(copy, 'src/tools'), { recursive: true });
  await cp(join(checkout, 'src/tools/versions.ts'), join(copy, 'src/tools/versions.ts'));
  return copy;
}

const keyOf = (folder: string, architecture = 'amd64') =>
  openRecipes({ checkout: folder, architecture }).keyOf('redis');

test('a key is the same in another checkout', async () => {
  expect(await keyOf(await copyRecipes())).toBe(await keyOf(checkout));
});

test.each([
  'images/redis/recipe.ts',
  'images/redis/new.conf',
  'images/debian-parts.ts',
  'src/tools/versions.ts',
])('a key changes with %s', async (file) => {
  const copy = await copyRecipes();
  const before = await keyOf(copy);
  await writeFile(join(copy, file), '// changed');
  expect(await keyOf(copy)).not.toBe(before);
});

test.each(['images/postgres/recipe.ts', 'images/catalog.yaml'])(
  'a key does not change with %s',
  async (file) => {
    const copy = await copyRecipes();
    const before = await keyOf(copy);
    await writeFile(join(copy, file), '// changed');
    expect(await keyOf(copy)).toBe(before);
  },
);

test('a key is of one architecture', async () => {
  expect(await keyOf(checkout, 'arm64')).not.toBe(await keyOf(checkout, 'amd64'));
});

test('each image with build: true has a recipe with its minutes', async () => {
  const recipes = openRecipes({ checkout, architecture: 'amd64' });
  for (const [name, { build }] of Object.entries(await loadCatalog(checkout))) {
    if (!build) continue;
    const { minutes } = await recipes.load(name as 'redis');
    expect(minutes, name).toBeGreaterThan(0);
  }
});

test('the keys of what recipes build are listed without building it', async () => {
  const recipes = openRecipes({ checkout, architecture: 'amd64' });
  const { files, roots } = await listRecipeInputs(recipes, ['traefik', 'redis'], 'amd64');
  expect([...files]).toEqual([expect.stringMatching(/^traefik-[0-9a-f]{16}$/)]);
  expect([...roots]).toEqual([expect.stringMatching(/^debian-trixie-[0-9a-f]{16}$/)]);
  const node = await listRecipeInputs(recipes, ['node'], 'amd64');
  expect([...node.files].map((key) => key.replace(/-[0-9a-f]{16}$/, ''))).toEqual(
    expect.arrayContaining(['kube', 'kubeadm', 'kubectl', 'coredns', 'etcd', 'pause']),
  );
});
