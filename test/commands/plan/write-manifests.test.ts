import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { writeManifests } from '../../../src/commands/plan/write-manifests.ts';
import type { Manifest } from '../../../src/diff/manifest.ts';
import { hideSecrets } from '../../../src/lib/secret-values.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const password = 'a-password-that-nobody-guesses-1';
hideSecrets([password]);

const secret: Manifest = {
  ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } },
  data: { KEY: Buffer.from(password).toString('base64') },
};
const leak: Manifest = {
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } },
  data: { URL: `postgres://me:${password}@db` },
};
const render = (...releases: string[]) =>
  releases.map((release) => ({ release, namespace: 'wealist-dev', manifests: [secret, leak] }));
const options = { environment: 'dev', overwrite: false, withSecrets: false };

test('writes a file per release, without secrets, and removes files of an earlier run', async () => {
  const folder = join(await makeTemporaryFolder(), 'new/manifests');
  await writeManifests(render('a', 'b'), { ...options, folder });
  await writeFile(join(folder, 'notes.txt'), 'mine');
  expect(await writeManifests(render('a', 'c'), { ...options, folder })).toEqual(['a.yaml', 'c.yaml']);
  expect((await readdir(folder)).toSorted()).toEqual(['a.yaml', 'c.yaml', 'notes.txt']);
  const text = await readFile(join(folder, 'a.yaml'), 'utf8');
  expect(text).not.toContain(password);
  expect(text).not.toContain(Buffer.from(password).toString('base64'));
  expect(parse(text.split('---\n')[0] ?? '')).toMatchObject({ kind: 'Secret', data: { KEY: '***' } });
});

test('with secrets, the files can be read by the user only', async () => {
  const folder = await makeTemporaryFolder();
  await writeManifests(render('a'), { ...options, folder, withSecrets: true });
  expect(await readFile(join(folder, 'a.yaml'), 'utf8')).toContain(Buffer.from(password).toString('base64'));
  expect((await stat(join(folder, 'a.yaml'))).mode & 0o777).toBe(0o600);
});

test('files that plan did not write are overwritten only after confirmation', async () => {
  const folder = await makeTemporaryFolder();
  const elsewhere = join(await makeTemporaryFolder(), 'elsewhere');
  await writeFile(elsewhere, 'of somebody else');
  await writeFile(join(folder, 'a.yaml'), 'mine');
  await symlink(elsewhere, join(folder, 'b.yaml'));
  await mkdir(join(folder, 'c.yaml'));
  await expect(writeManifests(render('a', 'b', 'c', 'd'), { ...options, folder })).rejects.toMatchObject({
    cause: 'a.yaml\nb.yaml\nc.yaml',
    exitCode: 9,
  });
  expect((await readdir(folder)).toSorted()).toEqual(['a.yaml', 'b.yaml', 'c.yaml']);
  expect(await readFile(join(folder, 'a.yaml'), 'utf8')).toBe('mine');

  await writeManifests(render('a', 'b', 'c'), { ...options, folder, overwrite: true });
  expect(await readFile(join(folder, 'b.yaml'), 'utf8')).toContain('release b');
  expect(await readFile(elsewhere, 'utf8')).toBe('of somebody else');
});

test('a file instead of a folder is refused', async () => {
  const folder = join(await makeTemporaryFolder(), 'file');
  await writeFile(folder, '');
  await expect(writeManifests(render('a'), { ...options, folder })).rejects.toMatchObject({
    message: `${folder} is not a folder`,
    exitCode: 2,
  });
});
