import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openImageDigests } from '../../../src/images/pull/image-digests.ts';
import { digestOf } from '../../../src/lib/oci.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

async function openTemporary() {
  const paths = { data: await makeTemporaryFolder(), cache: await makeTemporaryFolder() };
  return { ...paths, digests: openImageDigests(paths) };
}

test('a digest that was recorded is found by the next run', async () => {
  const { digests, ...paths } = await openTemporary();
  expect(await digests.find('a:1')).toBeUndefined();
  await digests.record('a:1', digestOf('a'));
  expect(await openImageDigests(paths).find('a:1')).toBe(digestOf('a'));
  await digests.record('a:1', digestOf('b'));
  expect(await digests.find('a:1')).toBe(digestOf('b'));
});

test('digests recorded concurrently are all saved', async () => {
  const { digests } = await openTemporary();
  const names = Array.from({ length: 8 }, (_, at) => `image:${at}`);
  await Promise.all(names.map((name) => digests.record(name, digestOf(name))));
  for (const name of names) expect(await digests.find(name)).toBe(digestOf(name));
});

test.each(['', '{', '[]', 'null', '{"a:1":"sha256:short"}'])(
  'a record that says %j is set aside',
  async (content) => {
    const { data, digests } = await openTemporary();
    await writeFile(join(data, 'image-digests.json'), content);
    expect(await digests.find('a:1')).toBeUndefined();
    await digests.record('b:1', digestOf('b'));
    expect((await readdir(data)).sort()).toEqual(['image-digests.json', 'image-digests.json.bad']);
  },
);
