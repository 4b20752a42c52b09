import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { exec } from '../../../src/tools/exec.ts';
import { ApiFailure } from '../../../src/tools/kubernetes/api-server.ts';
import { followApi } from '../../../src/tools/kubernetes/follow-api.ts';
import { createApiOpener } from '../../../src/tools/kubernetes/open-api.ts';
import { watchPods } from '../../../src/tools/kubernetes/watch-pods.ts';
import { startApiServer } from '../../fakes/api-server.ts';
import { makePod } from '../../fakes/cluster-objects.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const namespace = 'wealist-kind-local';

async function start() {
  const path = join(await makeTemporaryFolder(), 'kubeconfig');
  const name = 'kind-wealist';
  const write = (server: string) =>
    writeFile(
      path,
      JSON.stringify({
        contexts: [{ name, context: { cluster: name, user: name } }],
        clusters: [{ name, cluster: { server } }],
        users: [{ name, user: {} }],
      }),
    );
  const first = await startApiServer();
  first.setPod(makePod('old', 'auth'));
  await write(first.url);
  const end = new AbortController();
  onTestFinished(() => end.abort());
  let changes = 0;
  const api = await followApi(createApiOpener(path, name, exec), {
    interval: 20,
    onChange: () => changes++,
  });
  return { first, api, write, signal: end.signal, remove: () => rm(path), changes: () => changes };
}

test('a watch follows the kubeconfig to the next cluster, and says what it waits for until then', async () => {
  const { first, api, write, signal, remove, changes } = await start();
  const seen: string[][] = [];
  const said: string[] = [];
  const watching = (async () => {
    const options = {
      namespace,
      signal,
      interval: 20,
      onSilence: ({ message }: ApiFailure) => said.push(message),
    };
    for await (const pods of watchPods(api, options)) seen.push([...pods.keys()]);
  })().catch(() => {});
  await expect.poll(() => seen).toEqual([['old']]);
  // The previous API server still accepts connections, as a firewall that drops packets would.
  await remove();
  await expect.poll(() => said).toEqual(['the cluster was removed']);
  const second = await startApiServer();
  second.setPod(makePod('new', 'auth'));
  await write(second.url);
  await expect.poll(() => seen.at(-1)).toEqual(['new']);
  expect(changes()).toBe(1);
  expect(api.server).toBe(second.url);
  expect(first.requests.filter((request) => request.includes('watch'))).toHaveLength(1);
  void watching;
});

test('a request that the removed cluster does not answer ends', async () => {
  const { api, signal, remove, first } = await start();
  const stream = await api.open(`/api/v1/namespaces/${namespace}/pods?watch=true&resourceVersion=1`, signal);
  const ended = new Promise((resolve) => stream.once('error', resolve));
  stream.resume();
  await remove();
  expect(await ended).toBeInstanceOf(ApiFailure);
  await expect(api.get('/api/v1/pods', signal)).rejects.toMatchObject({
    message: 'the cluster was removed',
    exitCode: 5,
  });
  expect(first.requests.some((request) => request === 'GET /api/v1/pods')).toBe(false);
});

test('without a cluster at the start it fails as before', async () => {
  const opener = createApiOpener(join(await makeTemporaryFolder(), 'none'), 'kind-wealist', exec);
  await expect(followApi(opener)).rejects.toMatchObject({ hint: 'npm run up', exitCode: 5 });
});
