import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadCatalog } from '../../src/config/catalog.ts';
import { toReference } from '../../src/lib/reference.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const repository = join(import.meta.dirname, '../..');
const catalog = readFileSync(join(repository, 'images/catalog.yaml'), 'utf8');

async function load(text: string) {
  const checkout = await makeTemporaryFolder();
  await mkdir(join(checkout, 'images'));
  await writeFile(join(checkout, 'images/catalog.yaml'), text);
  return loadCatalog(checkout);
}

test('every image of ours is pinned with its registry and tag', async () => {
  const entries = Object.entries(await loadCatalog(repository));
  for (const [name, { pull }] of entries) expect(toReference(pull), name).toBeDefined();
});

/** The line that the redis image is pulled by. */
const line = catalog.split('\n').findIndex((each) => each.includes('library/redis')) + 1;

test.each([
  [
    'docker.io/library/redis:latest',
    `images/catalog.yaml:${line}:9 redis.pull: got "docker.io/library/redis:latest", expected a fixed tag`,
  ],
  [
    'docker.io/library/redis',
    `images/catalog.yaml:${line}:9 redis.pull: got "docker.io/library/redis", expected a fixed tag`,
  ],
  [
    'redis:8.0.3',
    `images/catalog.yaml:${line}:9 redis.pull: got "redis:8.0.3", expected an image with its registry and tag`,
  ],
  [
    'docker.io/Library/redis:8',
    `images/catalog.yaml:${line}:9 redis.pull: got "docker.io/Library/redis:8", expected an image with its tag`,
  ],
])('redis pulled as %s is refused with its place', async (pull, message) => {
  const text = catalog.replace(/docker\.io\/library\/redis:\S+/, pull);
  await expect(load(text)).rejects.toMatchObject({ message: expect.stringContaining(message), exitCode: 2 });
});

test('an unknown image, and an unknown key, are refused with what was probably meant', async () => {
  const text = `${catalog.replace('redis:\n', 'redsi:\n')}`.replace('build: false', 'built: false');
  const failure = await load(text).catch((error: Error) => error);
  expect(failure).toMatchObject({ message: expect.stringContaining('got an unknown key, nearest is redis') });
  expect(failure).toMatchObject({ message: expect.stringContaining('nearest is build') });
});
