import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exec } from '../../../src/tools/exec.ts';
import { createApiOpener } from '../../../src/tools/kubernetes/open-api.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

async function makeKubeconfig() {
  const path = join(await makeTemporaryFolder(), 'kubeconfig');
  const name = 'kind-wealist';
  const write = (port: number) =>
    writeFile(
      path,
      JSON.stringify({
        contexts: [{ name, context: { cluster: name, user: name } }],
        clusters: [{ name, cluster: { server: `http://127.0.0.1:${port}` } }],
        users: [{ name, user: {} }],
      }),
    );
  return { path, write, open: createApiOpener(path, name, exec) };
}

test('the same, until the cluster is recreated', async () => {
  const { write, open } = await makeKubeconfig();
  await write(1001);
  const first = await open();
  expect(first.server).toBe('http://127.0.0.1:1001');
  expect(await open()).toBe(first);
  await write(1002);
  const second = await open();
  expect(second.server).toBe('http://127.0.0.1:1002');
  expect(await open()).toBe(second);
});

test('without a kubeconfig there is none, and with one there is', async () => {
  const { path, write, open } = await makeKubeconfig();
  await expect(open()).rejects.toMatchObject({ exitCode: 5, hint: 'npm run up' });
  await write(1001);
  expect((await open()).server).toBe('http://127.0.0.1:1001');
  await rm(path);
  await expect(open()).rejects.toMatchObject({ exitCode: 5 });
});
