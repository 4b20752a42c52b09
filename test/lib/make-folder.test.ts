import { stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder } from '../../src/lib/make-folder.ts';
import { makeFullDisk } from '../full-disk.ts';
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
  const disk = await makeFullDisk();
  if (!disk) return skip('this user may not mount a file system in a namespace of its own');
  const program = join(import.meta.dirname, 'make-folder-program.ts');
  const words = [process.execPath, '--import', 'tsx', program, join(disk.folder, 'a/b/c/d/e')];
  const { stdout } = await disk.run(words);
  expect(stdout).toMatch(/^ENOSPC .*\/a\/b\/c$/);
});

test('a command whose state folder cannot be made names the disk and what helps', async ({ skip }) => {
  const disk = await makeFullDisk();
  if (!disk) return skip('this user may not mount a file system in a namespace of its own');
  const state = join(disk.folder, 'a/b/c/state');
  const bin = join(import.meta.dirname, '../../src/bin.js');
  const env = { WEALIST_STATE_DIR: state, DOCKER_HOST: `unix://${disk.folder}/no.sock` };
  await expect(disk.run([process.execPath, bin, 'up', '--yes'], env)).rejects.toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/no space left on device[\s\S]*make room on the disk of .*\/a\/b\/c$/),
  });
});
