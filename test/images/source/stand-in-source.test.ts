import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readStandIn } from '../../../src/images/source/stand-in-source.ts';
import { exitCodes } from '../../../src/lib/failure.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const lock = (versions: Readonly<Record<string, string>>) =>
  JSON.stringify({
    packages: Object.fromEntries(
      Object.entries({ pg: '1.0.0', esbuild: '1.0.0', vitest: '1.0.0', ...versions }).map(
        ([name, version]) => [`node_modules/${name}`, { version, integrity: `sha512-${version}` }],
      ),
    ),
  });

/** A checkout with one stand-in, whose files `change` overwrites. */
async function checkout() {
  const root = await makeTemporaryFolder();
  const change = async (files: Readonly<Record<string, string>>) => {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    }
  };
  await change({
    'services/x-service/main.ts': 'main',
    'services/x-service/public/app.js': 'app',
    'services/y-service/main.ts': 'other',
    'services/common/run.ts': 'run',
    'package.json': '{"version":"0.1.0"}',
    'package-lock.json': lock({}),
  });
  const read = (name = 'x-service') => readStandIn({ folder: join(root, 'services', name), checkout: root });
  return { root, change, read, hash: async () => (await read()).hash };
}

test.each([
  ['a file of its own', { 'services/x-service/main.ts': 'changed' }],
  ['a static file', { 'services/x-service/public/app.js': 'changed' }],
  ['a new file', { 'services/x-service/more.ts': '' }],
  ['what all stand-ins share', { 'services/common/run.ts': 'changed' }],
  ['a bundled package', { 'package-lock.json': lock({ pg: '1.0.1' }) }],
  ['the bundler', { 'package-lock.json': lock({ esbuild: '1.0.1' }) }],
  ['the version', { 'package.json': '{"version":"0.2.0"}' }],
])('changes with %s', async (_name, files) => {
  const { change, hash } = await checkout();
  const before = await hash();
  expect(before).toMatch(/^[0-9a-f]{64}$/);
  await change(files);
  expect(await hash()).not.toBe(before);
});

test.each([
  ['another stand-in', { 'services/y-service/main.ts': 'changed' }],
  ['a package that is not bundled', { 'package-lock.json': lock({ vitest: '1.0.1' }) }],
  ['another setting of package.json', { 'package.json': '{"version":"0.1.0","scripts":{}}' }],
  ['what an editor leaves', { 'services/x-service/.main.ts.swp': '', 'services/common/run.ts~': '' }],
  ['the same content, written again', { 'services/x-service/main.ts': 'main' }],
])('does not change with %s', async (_name, files) => {
  const { change, hash } = await checkout();
  const before = await hash();
  await change(files);
  expect(await hash()).toBe(before);
});

test('changes when a file is renamed or its content moves to another', async () => {
  const { root, change, hash } = await checkout();
  const hashes = [await hash()];
  await rename(join(root, 'services/x-service/public/app.js'), join(root, 'services/x-service/public/b.js'));
  hashes.push(await hash());
  await change({ 'services/x-service/main.ts': 'mai', 'services/x-service/public/b.js': 'napp' });
  hashes.push(await hash());
  expect(new Set(hashes).size).toBe(3);
});

test('does not depend on where the checkout is', async () => {
  const [one, other] = [await checkout(), await checkout()];
  expect(await one.hash()).toBe(await other.hash());
});

test('a folder that is missing or not a stand-in is a failure', async () => {
  const { root, read } = await checkout();
  await expect(read('z-service')).rejects.toMatchObject({
    message: `${join(root, 'services/z-service')} is not a readable folder`,
    exitCode: exitCodes.image,
  });
  await rm(join(root, 'services/x-service/main.ts'));
  await expect(read()).rejects.toMatchObject({ message: expect.stringContaining('has no main.ts') });
});

test('each stand-in of this checkout has a hash of its own', async () => {
  const root = join(import.meta.dirname, '../../..');
  const table = parse(await readFile(join(root, 'helm/charts/wealist-common/values.yaml'), 'utf8'));
  const folders = Object.keys(table.exports.defaults.services).map((name) => join(root, 'services', name));
  const sources = await Promise.all(folders.map((folder) => readStandIn({ folder, checkout: root })));
  expect(folders.length).toBeGreaterThan(1);
  expect(new Set(sources.map(({ hash }) => hash)).size).toBe(folders.length);
});
