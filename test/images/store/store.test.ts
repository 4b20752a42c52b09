import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../../src/images/store/store.ts';
import { digestOf } from '../../../src/lib/oci.ts';
import { makeUnused } from '../../fakes/unused.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const checkout = join(import.meta.dirname, '../../..');

async function openTemporaryStore() {
  const folder = await makeTemporaryFolder();
  return { folder, store: openStore(folder) };
}

test('a blob is found by the digest of its content', async () => {
  const { store } = await openTemporaryStore();
  const layer = await store.putBlob(Readable.from([Buffer.from('con'), Buffer.from('tent')]));
  expect(layer).toEqual({ digest: digestOf('content'), size: 7 });
  expect(await text(store.openBlob(layer.digest))).toBe('content');
});

test('an image is found only while each of its layers is complete', async () => {
  const { folder, store } = await openTemporaryStore();
  const layer = await store.putBlob(Readable.from([Buffer.from('content')]));
  const image = { config: '{}', layers: [layer] };
  await store.putImage('a', image);
  expect(await store.findImage('a')).toEqual(image);
  const blob = join(folder, 'blobs/sha256', layer.digest.slice('sha256:'.length));
  await truncate(blob, 3);
  expect(await store.findImage('a')).toBeUndefined();
  await rm(blob);
  expect(await store.findImage('a')).toBeUndefined();
});

test.each(['', '{', 'null', '[]', '{"config":1,"layers":[]}'])(
  'an image entry that says %j is none',
  async (content) => {
    const { folder, store } = await openTemporaryStore();
    await mkdir(join(folder, 'images'));
    await writeFile(join(folder, 'images/a.json'), content);
    expect(await store.findImage('a')).toBeUndefined();
    expect((await store.list()).images).toMatchObject([{ key: 'a', image: undefined }]);
  },
);

test('finding changes nothing', async () => {
  const { folder, store } = await openTemporaryStore();
  expect(await store.findImage('a')).toBeUndefined();
  expect(await store.findFile('a')).toBeUndefined();
  expect(await store.list()).toEqual({ images: [], files: [], blobs: [] });
  expect(await readdir(folder)).toEqual([]);
});

test('a file whose writing fails is not stored, and leaves nothing', async () => {
  const { folder, store } = await openTemporaryStore();
  const failing = store.putFile('a', async (path) => {
    await writeFile(path, 'half');
    throw new Error('no space left');
  });
  await expect(failing).rejects.toThrow('no space left');
  expect(await store.findFile('a')).toBeUndefined();
  expect(await readdir(join(folder, 'work'))).toEqual([]);
});

test('a blob whose stream fails is not stored, and leaves nothing', async () => {
  const { folder, store } = await openTemporaryStore();
  const breaking = Readable.from(
    (async function* () {
      yield Buffer.from('half');
      throw new Error('gone');
    })(),
  );
  await expect(store.putBlob(breaking)).rejects.toThrow('gone');
  expect((await store.list()).blobs).toEqual([]);
  expect(await readdir(join(folder, 'work'))).toEqual([]);
});

test('unfinished files of a dead process are removed by the next one; those of a running one are not', async () => {
  const { folder, store } = await openTemporaryStore();
  await mkdir(join(folder, 'work'));
  const killed = await startWriter(folder);
  const living = await startWriter(folder);
  killed.kill('SIGKILL');
  await once(killed, 'exit');

  await store.putFile('mine', (path) => writeFile(path, 'mine'));
  const left = await readdir(join(folder, 'work'));
  expect(left).toHaveLength(2);
  expect(left.every((name) => name.startsWith(`${living.pid}-`))).toBe(true);
  expect((await store.list()).blobs).toEqual([]);
});

test('two processes that store the same entry leave it complete', async () => {
  const { folder, store } = await openTemporaryStore();
  const program = `
    import { Readable } from 'node:stream';
    import { writeFile } from 'node:fs/promises';
    import { openStore } from '${checkout}/src/images/store/store.ts';
    const store = openStore(process.argv[1]);
    for (let round = 0; round < 20; round += 1) {
      const layer = await store.putBlob(Readable.from([Buffer.alloc(100_000, 'x')]));
      await store.putImage('same', { config: '{}', layers: [layer] });
      await store.putFile('same', (path) => writeFile(path, 'same'));
    }`;
  const codes = await Promise.all(
    [1, 2].map(async () => (await once(run(program, folder), 'exit'))[0] as number),
  );
  expect(codes).toEqual([0, 0]);
  expect(await store.findImage('same')).toMatchObject({ layers: [{ size: 100_000 }] });
  expect(await readFile((await store.findFile('same')) ?? '', 'utf8')).toBe('same');
  expect(await readdir(join(folder, 'work'))).toEqual([]);
});

test('a removed entry is not found, and removing it again is no error', async () => {
  const { store } = await openTemporaryStore();
  const layer = await store.putBlob(Readable.from([Buffer.from('content')]));
  await store.putImage('a', { config: '{}', layers: [layer] });
  await store.putFile('b', (path) => writeFile(path, 'b'));
  const entries = { images: ['a'], files: ['b'], blobs: [layer.digest] };
  await store.remove(entries);
  await store.remove(entries);
  expect(await store.list()).toEqual({ images: [], files: [], blobs: [] });
});

/** A process in the middle of writing a blob and a file. */
async function startWriter(folder: string) {
  const child = run(
    `
    import { Readable } from 'node:stream';
    import { writeFile } from 'node:fs/promises';
    import { openStore } from '${checkout}/src/images/store/store.ts';
    const store = openStore(process.argv[1]);
    const never = new Promise((resolve) => setTimeout(resolve, 60_000));
    void store.putBlob(Readable.from((async function* () { yield Buffer.from('half'); await never; })()));
    void store.putFile('a', async (path) => { await writeFile(path, 'half'); await never; });`,
    folder,
  );
  await expect
    .poll(async () =>
      (await readdir(join(folder, 'work'))).filter((name) => name.startsWith(`${child.pid}-`)),
    )
    .toHaveLength(2);
  return child;
}

function run(program: string, ...args: readonly string[]) {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', program, ...args],
    {
      cwd: checkout,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

test('use is recorded, at most once in an hour', async () => {
  const { folder, store } = await openTemporaryStore();
  await store.putImage('a', { config: '{}', layers: [] });
  await store.putFile('b', (path) => writeFile(path, 'program'));
  await makeUnused(folder, 'images/a.json', 'files/b');
  const start = Date.now() - 1_000;
  await store.findImage('a');
  await store.findFile('b');
  const { images, files } = await store.list();
  for (const { modified } of [...images, ...files]) expect(modified).toBeGreaterThan(start);

  const name = 'wealist.local/node:1';
  expect(await store.findLastUse(name)).toBe(0);
  await store.markUsed(name);
  const used = await store.findLastUse(name);
  expect(used).toBeGreaterThan(start);
  await store.markUsed(name);
  expect(await store.findLastUse(name)).toBe(used);
});

test('a blob in which a bit has flipped is found when it is read, and removed', async () => {
  const { folder, store } = await openTemporaryStore();
  const layer = await store.putBlob(Readable.from([Buffer.from('content')]));
  await store.putImage('a', { config: '{}', layers: [layer] });
  await writeFile(join(folder, 'blobs', layer.digest.replace(':', '/')), 'contend');
  expect(await store.findImage('a')).toBeDefined();
  await expect(text(store.openBlob(layer.digest))).rejects.toMatchObject({
    message: `layer ${layer.digest} in the cache was damaged and is removed`,
    exitCode: 7,
  });
  expect(await store.findImage('a')).toBeUndefined();
});
