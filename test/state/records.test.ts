import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ensureCheckoutId, findCheckoutId } from '../../src/state/checkout-id.ts';
import {
  findClusterRecord,
  removeClusterRecord,
  writeClusterRecord,
} from '../../src/state/cluster-record.ts';
import { ensureStateFolder } from '../../src/state/state-folder.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const record = {
  name: 'wealist',
  httpPort: 80,
  httpsPort: 443,
  controller: 'traefik',
  nodes: ['app', 'db'],
  extras: ['monitoring'],
  lacking: ['grafana'],
} as const;

async function makePaths() {
  return { state: join(await makeTemporaryFolder(), '.wealist') };
}

test("the checkout's id is made once", async () => {
  const paths = await makePaths();
  expect(await findCheckoutId(paths)).toBeUndefined();
  const id = await ensureCheckoutId(paths);
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(await ensureCheckoutId(paths)).toBe(id);
  await writeFile(join(paths.state, 'id'), 'not an id; --rm');
  expect(await findCheckoutId(paths)).toBeUndefined();
  expect(await ensureCheckoutId(paths)).not.toBe(id);
});

test('the record of the cluster stays until it is removed', async () => {
  const paths = await makePaths();
  expect(await findClusterRecord(paths)).toBeUndefined();
  await writeClusterRecord(paths, record);
  expect(await findClusterRecord(paths)).toEqual(record);
  await removeClusterRecord(paths);
  await removeClusterRecord(paths);
  expect(await findClusterRecord(paths)).toBeUndefined();
});

test('the engine is part of the record, and left out where it is not valid', async () => {
  const paths = await makePaths();
  const engine = { id: 'A', socket: '/run/a.sock' };
  await writeClusterRecord(paths, { ...record, engine });
  expect(await findClusterRecord(paths)).toEqual({ ...record, engine });
  await writeClusterRecord(paths, { ...record, engine: { id: '', socket: '' } });
  expect(await findClusterRecord(paths)).toEqual(record);
});

test('a record of a version without worker nodes has none', async () => {
  const paths = await makePaths();
  await mkdir(paths.state);
  const { nodes: _later, ...earlier } = record;
  await writeFile(join(paths.state, 'cluster.json'), JSON.stringify({ version: 1, ...earlier }));
  expect(await findClusterRecord(paths)).toEqual({ ...earlier, nodes: [] });
});

for (const text of [
  '',
  'null',
  '{"version":1',
  '{"version":2,"name":"wealist","httpPort":80,"httpsPort":443}',
  '{"version":1}',
  '{"version":1,"name":"wealist","httpPort":80,"httpsPort":443,"controller":"nginx","nodes":["web"]}',
  // Its name would lead out of the data folder.
  '{"version":1,"name":"../../home","httpPort":80,"httpsPort":443,"controller":"nginx"}',
  '{"version":1,"name":".","httpPort":80,"httpsPort":443,"controller":"nginx"}',
]) {
  test(`a record that reads ${text || 'nothing'} is set aside`, async () => {
    const paths = await makePaths();
    await mkdir(paths.state);
    await writeFile(join(paths.state, 'cluster.json'), text);
    expect(await findClusterRecord(paths)).toBeUndefined();
    expect(await readdir(paths.state)).toEqual(['cluster.json.bad']);
  });
}

test('the state folder is closed to others and ignores itself', async () => {
  const paths = await makePaths();
  await mkdir(paths.state, { mode: 0o755 });
  await ensureStateFolder(paths);
  await ensureStateFolder(paths);
  expect((await stat(paths.state)).mode & 0o777).toBe(0o700);
  expect(await readFile(join(paths.state, '.gitignore'), 'utf8')).toBe('*\n');
});

test('a state folder that cannot be is refused before anything depends on it', async () => {
  const paths = await makePaths();
  await writeFile(paths.state, '');
  await expect(ensureStateFolder(paths)).rejects.toMatchObject({
    exitCode: 3,
    hint: expect.stringMatching(/^mv /),
  });
  const below = { state: join(paths.state, 'state') };
  await expect(ensureStateFolder(below)).rejects.toMatchObject({ exitCode: 3 });
});
