import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDebian } from '../../src/tools/debian.ts';
import { type Exec, exec } from '../../src/tools/exec.ts';
import { toRootsFolder, withRootFolder } from '../../src/tools/root-folder.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const run = { signal: new AbortController().signal, report: () => {} };

test('packages are unpacked in /var/tmp, unless the user has chosen another folder', () => {
  expect(toRootsFolder({})).toBe('/var/tmp');
  expect(toRootsFolder({ TMPDIR: '' })).toBe('/var/tmp');
  expect(toRootsFolder({ TMPDIR: '/disk' })).toBe('/disk');
});

test('mmdebstrap unpacks there, in a folder that other user IDs can pass through', async () => {
  const parent = await makeTemporaryFolder();
  const seen: { readonly folder: string; readonly mode: number }[] = [];
  const machine: Exec = async (program, args, options) => {
    if (program === 'mmdebstrap' && options?.env?.TMPDIR) {
      const folder = options.env.TMPDIR;
      seen.push({ folder, mode: (await stat(folder)).mode & 0o777 });
      await mkdir(join(folder, 'mmdebstrap.1'));
    }
    return program === 'apt-get' ? exec('true', args) : { stdout: '', stderr: '' };
  };
  const root = { suite: 'trixie', variant: 'minbase', packages: ['tini'] } as const;
  await createDebian(machine, parent).makeRoot(root, 'amd64', join(parent, 'root.tar'), run);
  expect(seen).toEqual([{ folder: expect.stringContaining(join(parent, 'wealist-root-')), mode: 0o711 }]);
  expect(await readdir(parent)).toEqual([]);
});

test('what killed runs left is removed, what belongs to a living one or another program stays', async () => {
  const parent = await makeTemporaryFolder();
  const kept = [`wealist-root-${process.ppid}-a`, 'wealist-rooted', 'wealist-root-', 'other'];
  for (const name of [...kept, 'wealist-root-999999999-b'])
    await mkdir(join(parent, name, 'mmdebstrap.1'), { recursive: true });
  await withRootFolder(parent, exec, async () => {});
  expect((await readdir(parent)).toSorted()).toEqual(kept.toSorted());
});

test.skipIf(process.getuid?.() === 0)(
  'packages of other user IDs are removed by mmdebstrap, which can act as them',
  async () => {
    const parent = await makeTemporaryFolder();
    const left = join(parent, 'wealist-root-999999999-b', 'mmdebstrap.1');
    await mkdir(left, { recursive: true });
    await writeFile(join(left, 'file'), '');
    // Like a folder of another user: its content cannot be removed.
    await chmod(left, 0o500);
    const calls: (readonly string[])[] = [];
    const machine: Exec = async (program, args) => {
      calls.push([program, ...args]);
      await chmod(left, 0o700);
      return { stdout: '', stderr: '' };
    };
    await withRootFolder(parent, machine, async () => {});
    expect(calls).toEqual([['mmdebstrap', '--unshare-helper', 'rm', '-rf', '--', left]]);
    expect(await readdir(parent)).toEqual([]);
  },
);
