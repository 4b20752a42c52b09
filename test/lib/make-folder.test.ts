import { stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder } from '../../src/lib/make-folder.ts';
import { exec } from '../../src/tools/exec.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

test('a folder with those above it is made, with their mode, and may exist', async () => {
  const folder = await makeTemporaryFolder();
  for (let time = 0; time < 2; time += 1) await makeFolder(join(folder, 'a/b'), 0o700);
  for (const name of ['a', 'a/b']) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o700);
});

test('what cannot be made keeps its error', async () => {
  const folder = await makeTemporaryFolder();
  await symlink('/nowhere/at/all', join(folder, 'link'));
  await expect(makeFolder(join(folder, 'link/a'))).rejects.toThrow('mkdir');
  await expect(makeFolder('/dev/null/a')).rejects.toThrow('ENOTDIR');
});

test('a full disk is reported as such', async ({ skip }) => {
  const folder = await makeTemporaryFolder();
  // A file system for three files, mounted in a namespace of its own, which other users than root may make, too.
  const mount = 'mount -t tmpfs -o nr_inodes=3,size=1m tmpfs "$1"';
  const isolated = (script: string, ...args: string[]) =>
    exec('unshare', [
      '--user',
      '--map-root-user',
      '--mount',
      'sh',
      '-ec',
      `${mount}; ${script}`,
      'sh',
      folder,
      ...args,
    ]);
  const canMount = await isolated('true').then(
    () => true,
    () => false,
  );
  if (!canMount) skip('this user may not mount a file system in a namespace of its own');
  const program = join(import.meta.dirname, 'make-folder-program.ts');
  const script = 'exec "$2" --import tsx "$3" "$1/a/b/c/d/e"';
  const { stdout } = await isolated(script, process.execPath, program);
  expect(stdout).toMatch(/^ENOSPC .*\/a\/b\/c$/);
});
