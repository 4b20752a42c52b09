import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CheckContext } from '../../src/machine/checks/check.ts';
import { checkDataFolder, keepsModes } from '../../src/machine/checks/data-folder.ts';
import type { Engine } from '../../src/machine/engine.ts';
import { exec } from '../../src/tools/exec.ts';
import { makeHost } from '../fakes/host.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

async function check(folder: string, { dockerRoot = '/var/lib/docker', home = '/home/ada' } = {}) {
  const { host, exec: there } = await makeHost({ home });
  const paths = { checkout: folder, state: folder, cache: folder, data: folder };
  const engine = { dockerRoot } as Engine;
  const { signal } = new AbortController();
  return checkDataFolder({ host, exec: there, paths, engine, signal } as CheckContext);
}

test('a folder that does not exist yet is created on an ordinary file system', async () => {
  const data = join(await makeTemporaryFolder(), 'a/b');
  expect(await check(data)).toEqual([{ id: 'data-folder', title: 'data folder', state: 'ok', detail: data }]);
});

test('a file system that finds a folder in the other case too', async () => {
  const folder = await makeTemporaryFolder();
  await mkdir(join(folder, 'wealist'));
  await symlink('wealist', join(folder, 'WEALIST'));
  const [found] = await check(join(folder, 'wealist'));
  expect(found).toMatchObject({ state: 'warn', detail: expect.stringContaining('A from a') });
  // Two folders of a file system that distinguishes them.
  await mkdir(join(folder, 'other'));
  await mkdir(join(folder, 'OTHER'));
  expect(await check(join(folder, 'other'))).toMatchObject([{ state: 'ok' }]);
});

test('Docker from the snap store and a hidden folder of the home folder', async () => {
  const home = await makeTemporaryFolder();
  const snap = { home, dockerRoot: '/var/snap/docker/common/var-lib-docker' };
  const hidden = await check(join(home, '.local/share/wealist-local'), snap);
  expect(hidden).toMatchObject([{ state: 'warn', fix: expect.stringContaining('XDG_DATA_HOME') }]);
  expect(await check(join(home, 'wealist-data'), snap)).toMatchObject([{ state: 'ok' }]);
  expect(await check(join(home, '.local/share/wealist-local'), { home })).toMatchObject([{ state: 'ok' }]);
});

test('a file system that keeps modes, and one that cannot be written to, which is reported elsewhere', async () => {
  const folder = await makeTemporaryFolder();
  expect(await keepsModes(folder)).toBe(true);
  expect(await readdir(folder)).toEqual([]);
  expect(await keepsModes(join(folder, 'missing'))).toBe(true);
});

const fat = '/proc/filesystems';
const canMountFat =
  process.getuid?.() === 0 &&
  (await readFile(fat, 'utf8').catch(() => '')).includes('\tvfat\n') &&
  (await exec('mkfs.vfat', ['--help']).then(
    () => true,
    () => false,
  ));

test.skipIf(!canMountFat)('a FAT file system keeps no modes and ignores case', async () => {
  const folder = await makeTemporaryFolder();
  const [image, mounted] = [join(folder, 'image'), join(folder, 'mounted')];
  await mkdir(mounted);
  await exec('mkfs.vfat', ['-C', image, '8192']);
  await exec('mount', ['-o', 'loop', image, mounted]);
  onTestFinished(async () => {
    await exec('umount', [mounted]);
  });
  await mkdir(join(mounted, 'data'));
  expect(await check(join(mounted, 'data'))).toMatchObject([{ state: 'fail' }, { state: 'warn' }]);
});
