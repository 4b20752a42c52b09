import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { loadCatalog } from '../../../src/config/catalog.ts';
import { openRecipes } from '../../../src/images/build/recipes.ts';
import { createImageKeys } from '../../../src/images/image-keys.ts';
import { whileCacheIsUsed } from '../../../src/images/store/cache-lock.ts';
import { planPruning, prune } from '../../../src/images/store/prune.ts';
import { openStore } from '../../../src/images/store/store.ts';
import type { ContainerState, DockerContainer } from '../../../src/tools/docker/containers.ts';
import { exec } from '../../../src/tools/exec.ts';
import { makeUnused } from '../../fakes/unused.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const checkout = join(import.meta.dirname, '../../..');
const signal = new AbortController().signal;
const run = { signal, report: () => {} };

const toContainer = (name: string, image: string, state: ContainerState = 'exited'): DockerContainer => {
  return { id: `id-${name}`, name, image, state, labels: {}, ports: [] };
};

/** A PID that no process has: the kernel's limit is lower. */
const nobody = 2 ** 30;

async function makeParts() {
  const catalog = await loadCatalog(checkout);
  const recipes = openRecipes({ checkout, architecture: 'amd64' });
  const cache = await makeTemporaryFolder();
  const keys = createImageKeys(catalog, recipes);
  const current = await keys.builtNode();
  const images = new Map<string, readonly string[]>([
    ['sha256:1', [current]],
    ['sha256:2', ['wealist.local/node:old']],
    ['sha256:3', ['wealist.local/node:in-use']],
    ['sha256:4', ['kindest/node:v1.34.11', 'somebody/else:1']],
  ]);
  const containers = [
    toContainer('wealist-control-plane', 'wealist.local/node:in-use'),
    toContainer(`wealist-unfinished-${nobody}-a`, 'wealist.local/node:old'),
    toContainer(`wealist-unfinished-${process.pid}-b`, 'alpine'),
    toContainer('theirs', 'somebody/else:1'),
  ];
  let cleaned = false;
  const buildCache = { bytes: 0 };
  return {
    current,
    buildCache,
    images,
    containers,
    isCleaned: () => cleaned,
    keys,
    parts: {
      catalog,
      recipes,
      cache,
      exec,
      architecture: 'amd64',
      checkout,
      store: openStore(cache),
      go: {
        build: async () => {},
        async clean() {
          cleaned = true;
        },
      },
      docker: {
        measureBuildCache: async () => buildCache.bytes,
        async pruneBuildCache(keep: number) {
          const freed = buildCache.bytes - keep;
          buildCache.bytes = keep;
          return freed;
        },
        listImages: async () =>
          [...images].map(([id, tags]) => ({ id, tags, size: 5, created: 0, labels: {} })),
        listContainers: async () => containers,
        async removeImage(name: string) {
          for (const [id, tags] of images) if (tags.includes(name)) images.delete(id);
        },
        async removeContainer(id: string) {
          containers.splice(
            containers.findIndex((each) => each.id === id),
            1,
          );
        },
      },
    },
  };
}

test('entries of previous recipes are removed, those of the current ones stay', async () => {
  const { parts, keys } = await makeParts();
  const { store } = parts;
  await store.putImage('built-redis-0000000000000000', { config: '{}', layers: [] });
  await store.putImage(await keys.built('redis'), { config: '{}', layers: [] });
  await makeUnused(
    parts.cache,
    'images/built-redis-0000000000000000.json',
    `images/${await keys.built('redis')}.json`,
  );
  const pruning = await planPruning(parts, { all: false, signal });
  expect(pruning.entries.images).toEqual(['built-redis-0000000000000000']);
  expect(pruning.items).toContainEqual({ what: '1 image in the cache', bytes: 0 });
  await prune(parts, { all: false, confirmed: pruning }, run);
  expect((await store.list()).images.map(({ key }) => key)).toEqual([await keys.built('redis')]);
});

test('what another checkout has used, or uses since the user was asked, stays', async () => {
  const { parts, images } = await makeParts();
  const { store, cache } = parts;
  const keys = [
    'built-redis-0000000000000001',
    'built-redis-0000000000000002',
    'built-redis-0000000000000003',
  ];
  for (const key of keys) await store.putImage(key, { config: '{}', layers: [] });
  await makeUnused(cache, ...keys.map((key) => `images/${key}.json`));
  await store.findImage(keys[0] ?? '');
  const pruning = await planPruning(parts, { all: false, signal });
  expect(pruning.entries.images).toEqual(keys.slice(1));
  expect(pruning.nodes).toEqual(['wealist.local/node:old']);

  await store.findImage(keys[1] ?? '');
  await store.markUsed('wealist.local/node:old');
  await store.putImage('built-redis-0000000000000004', { config: '{}', layers: [] });
  await makeUnused(cache, 'images/built-redis-0000000000000004.json');
  const removed = await prune(parts, { all: false, confirmed: pruning }, run);
  expect(removed.entries.images).toEqual([keys[2]]);
  expect(removed.nodes).toEqual([]);
  expect((await store.list()).images.map(({ key }) => key)).toEqual([
    keys[0],
    keys[1],
    'built-redis-0000000000000004',
  ]);
  expect([...images.values()].flat()).toContain('wealist.local/node:old');
});

test('nothing is removed while another command uses the cache', async () => {
  const { parts } = await makeParts();
  const { store, cache } = parts;
  await store.putFile('kube-0000000000000000', (path) => writeFile(path, 'program'));
  const pruning = await planPruning(parts, { all: true, signal });
  await whileCacheIsUsed({ cache, command: 'npm run up', run }, () =>
    whileCacheIsUsed({ cache, command: 'npm run reload', run }, async () => {
      await expect(prune(parts, { all: true, confirmed: pruning }, run)).rejects.toMatchObject({
        message: expect.stringMatching(
          /^another command is using the cache: npm run (up|reload) \(PID \d+\)$/,
        ),
        exitCode: 10,
      });
    }),
  );
  expect((await store.list()).files).toHaveLength(1);
  await prune(parts, { all: true, confirmed: pruning }, run);
  expect((await store.list()).files).toEqual([]);
  expect(await readdir(join(cache, 'locks'))).toEqual(['clearing.lock']);
});

test('a cache that cannot be written is used without a lock', async () => {
  const cache = await makeTemporaryFolder();
  await chmod(cache, 0o555);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65534);
  try {
    expect(await whileCacheIsUsed({ cache, command: 'npm run up', run }, async () => 'done')).toBe('done');
  } finally {
    if (isRoot) process.seteuid?.(0);
    await chmod(cache, 0o755);
  }
});

test("of the engine only unused node images with this tool's name are removed", async () => {
  const { parts, images, containers, current } = await makeParts();
  const pruning = await planPruning(parts, { all: false, signal });
  expect(pruning.nodes).toEqual(['wealist.local/node:old']);
  await prune(parts, { all: false, confirmed: pruning }, run);
  expect([...images.values()].flat()).toEqual([
    current,
    'wealist.local/node:in-use',
    'kindest/node:v1.34.11',
    'somebody/else:1',
  ]);
  expect(containers.map(({ name }) => name)).toEqual([
    'wealist-control-plane',
    `wealist-unfinished-${process.pid}-b`,
    'theirs',
  ]);
});

test('all removes everything that can be made again, and its size is returned', async () => {
  const { parts, images, isCleaned, keys } = await makeParts();
  const { store, cache } = parts;
  const layer = await store.putBlob(Readable.from([Buffer.alloc(1000)]));
  await store.putImage(await keys.built('redis'), { config: '{}', layers: [layer] });
  await store.putFile('kube-775d147b22fa6aa4', (path) => writeFile(path, 'program'));
  await store.putFile('whatever', (path) => writeFile(path, 'program'));
  const pruning = await planPruning(parts, { all: true, signal });
  expect(pruning.items).toContainEqual({ what: '1 layer in the cache', bytes: 1000 });
  expect(pruning.items).toContainEqual({ what: '2 programs in the cache', bytes: 14 });
  await prune(parts, { all: true, confirmed: pruning }, run);
  expect(await openStore(cache).list()).toEqual({ images: [], files: [], blobs: [] });
  expect([...images.values()].flat()).toEqual([
    'wealist.local/node:in-use',
    'kindest/node:v1.34.11',
    'somebody/else:1',
  ]);
  expect(isCleaned()).toBe(false);
});

test("all clears Go's caches, if they exist", async () => {
  const { parts, isCleaned } = await makeParts();
  await openStore(join(parts.cache, 'go')).putFile('compiled', (path) => writeFile(path, 'x'.repeat(5000)));
  const pruning = await planPruning(parts, { all: true, signal });
  expect(pruning.items.find(({ what }) => what === "Go's caches")?.bytes).toBeGreaterThan(5000);
  await prune(parts, { all: true, confirmed: pruning }, run);
  expect(isCleaned()).toBe(true);
});

test('without an engine the cache is still pruned', async () => {
  const { parts } = await makeParts();
  const pruning = await planPruning({ ...parts, docker: undefined }, { all: false, signal });
  expect(pruning).toMatchObject({ nodes: [], containers: [], items: [] });
});

test("BuildKit's cache is named with its size, and cleared", async () => {
  const { parts, buildCache } = await makeParts();
  expect(
    (await planPruning(parts, { all: false, signal })).items.map(({ what }) => what).join(),
  ).not.toContain('BuildKit');
  buildCache.bytes = 3e9;
  const pruning = await planPruning(parts, { all: false, signal });
  expect(pruning.items).toContainEqual({
    what: "BuildKit's cache in the container engine, of all projects",
    bytes: 3e9,
  });
  await prune(parts, { all: false, confirmed: pruning }, run);
  expect(buildCache.bytes).toBe(0);
  // What was not confirmed stays.
  buildCache.bytes = 5;
  await prune(parts, { all: false, confirmed: { ...pruning, buildCache: false } }, run);
  expect(buildCache.bytes).toBe(5);
});
