import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readOrSetAside, writeFileAtomically } from '../../src/state/atomic-file.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('writes the file and its folder closed to others, whatever the umask', async () => {
  const folder = await makeTemporaryFolder();
  const path = join(folder, 'state/cluster.json');
  const umask = process.umask(0);
  try {
    await writeFileAtomically(path, 'one');
  } finally {
    process.umask(umask);
  }
  expect(await modeOf(path)).toBe(0o600);
  expect(await modeOf(join(folder, 'state'))).toBe(0o700);
});

test('replaces the whole file and leaves nothing beside it', async () => {
  const folder = await makeTemporaryFolder();
  const path = join(folder, 'file');
  await writeFileAtomically(path, 'a longer text');
  await chmod(path, 0o644);
  await writeFileAtomically(path, 'short');
  expect(await readFile(path, 'utf8')).toBe('short');
  expect(await modeOf(path)).toBe(0o600);
  expect(await readdir(folder)).toEqual(['file']);
});

test('replaces a symbolic link in place of writing through it', async () => {
  const folder = await makeTemporaryFolder();
  await writeFile(join(folder, 'other'), 'untouched');
  await symlink(join(folder, 'other'), join(folder, 'file'));
  await writeFileAtomically(join(folder, 'file'), 'new');
  expect(await readFile(join(folder, 'other'), 'utf8')).toBe('untouched');
});

test('a write that fails leaves the old file and nothing beside it', async () => {
  const folder = await makeTemporaryFolder();
  await mkdir(join(folder, 'file'));
  await writeFile(join(folder, 'file/inside'), '');
  await expect(writeFileAtomically(join(folder, 'file'), 'new')).rejects.toThrow();
  expect(await readdir(folder)).toEqual(['file']);
});

test('what cannot be parsed is set aside, in place of what was set aside before', async () => {
  const folder = await makeTemporaryFolder();
  const path = join(folder, 'file');
  expect(await readOrSetAside(path, JSON.parse)).toBeUndefined();
  for (const text of ['{"half":', '']) {
    await writeFile(path, text);
    expect(await readOrSetAside(path, JSON.parse)).toBeUndefined();
    expect(await readdir(folder)).toEqual(['file.bad']);
    expect(await readFile(`${path}.bad`, 'utf8')).toBe(text);
  }
  await mkdir(path);
  expect(await readOrSetAside(path, JSON.parse)).toBeUndefined();
  expect(await readdir(folder)).toEqual(['file.bad']);
});
