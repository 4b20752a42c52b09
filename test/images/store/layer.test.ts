import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { extract, type Header, pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { folderEntries, packLayer, trimRoot } from '../../../src/images/store/layer.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

async function listTar(tar: Readable): Promise<readonly Header[]> {
  const headers: Header[] = [];
  for await (const entry of tar.pipe(extract())) {
    headers.push(entry.header);
    entry.resume();
  }
  return headers;
}

test('the same entries give the same bytes in any order', async () => {
  const entries = [
    { path: 'b/file', content: 'b' },
    { path: 'a', link: 'b' },
    { path: 'tmp', mode: 0o1777, folder: true },
  ] as const;
  const [one, other] = await Promise.all(
    [entries, [...entries].reverse()].map((each) => buffer(packLayer(each))),
  );
  expect(one).toEqual(other);
});

test('parents are made once and before what is in them', async () => {
  const headers = await listTar(
    packLayer([
      { path: 'usr/local/bin/a', content: '', mode: 0o755 },
      { path: 'usr/local/b', content: '' },
    ]),
  );
  expect(headers.map(({ name, type, mode }) => `${name} ${type} ${mode?.toString(8)}`)).toEqual([
    'usr/ directory 755',
    'usr/local/ directory 755',
    'usr/local/b file 644',
    'usr/local/bin/ directory 755',
    'usr/local/bin/a file 755',
  ]);
});

test('everything belongs to root and has no date', async () => {
  const [header] = await listTar(packLayer([{ path: 'a', content: '' }]));
  expect(header).toMatchObject({ uid: 0, gid: 0, mtime: new Date(0) });
});

test("a folder's files become entries, with the executable bit of their mode", async () => {
  const folder = await makeTemporaryFolder();
  await writeFile(join(folder, 'plain'), '');
  await writeFile(join(folder, 'program'), '');
  await chmod(join(folder, 'plain'), 0o600);
  await chmod(join(folder, 'program'), 0o700);
  expect(await folderEntries(folder, 'etc')).toEqual([
    { path: 'etc/plain', mode: 0o644, file: join(folder, 'plain') },
    { path: 'etc/program', mode: 0o755, file: join(folder, 'program') },
  ]);
});

test('a missing file is an error for the reader of the layer', async () => {
  await expect(buffer(packLayer([{ path: 'a', file: '/does/not/exist' }]))).rejects.toThrow('ENOENT');
});

test('a root loses devices, documentation and dates, and keeps owners and hard links', async () => {
  const tar = pack();
  tar.entry({ name: './', type: 'directory' });
  tar.entry({ name: './dev/null', type: 'character-device' });
  tar.entry({ name: './usr/share/doc/a/copyright' }, 'long');
  tar.entry({ name: './etc/shadow', uid: 0, gid: 42, mode: 0o640, mtime: new Date(5000) }, 'x');
  tar.entry({ name: './etc/same', type: 'link', linkname: './etc/shadow' });
  tar.finalize();
  expect(await listTar(trimRoot(Readable.from(tar)))).toMatchObject([
    { name: 'etc/shadow', gid: 42, mode: 0o640, mtime: new Date(0) },
    { name: 'etc/same', type: 'link', linkname: 'etc/shadow' },
  ]);
});

test('a truncated or unreadable root is an error', async () => {
  const tar = pack();
  tar.entry({ name: './etc/a' }, 'x'.repeat(5000));
  tar.finalize();
  const whole = await buffer(Readable.from(tar));
  await expect(buffer(trimRoot(Readable.from([whole.subarray(0, 2000)])))).rejects.toThrow();
  const broken = new Readable({ read() {} });
  const reading = buffer(trimRoot(broken));
  broken.destroy(new Error('disk gone'));
  await expect(reading).rejects.toThrow('disk gone');
});

test('a reader that fails in the middle gets its own error, and nothing else does', async () => {
  const full = new Writable({
    write: (_chunk, _encoding, done) => done(new Error('no space left on device')),
  });
  const layer = packLayer(['a', 'b', 'c'].map((path) => ({ path, content: path.repeat(50_000) })));
  await expect(pipeline(layer, full)).rejects.toThrow('no space left on device');
  // An error without a listener ends the process, here the test.
  await setImmediate();
});
