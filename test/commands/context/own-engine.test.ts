import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireOwnEngine } from '../../../src/commands/context/own-engine.ts';
import type { Engine } from '../../../src/machine/engine.ts';
import { findClusterRecord, writeClusterRecord } from '../../../src/state/cluster-record.ts';
import { findEngineRecord, writeEngineRecord } from '../../../src/state/engine-record.ts';
import { docker, dockerRoutes, startEngine } from '../../fakes/engine.ts';
import { makeHost } from '../../fakes/host.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const here = '/run/docker.sock';
const engine = { daemonId: 'HERE', socket: here } as Engine;

/** A cluster that was created in the engine PREVIOUS at this socket, as the data folder and the checkout record. */
async function makeReplaced({ socket = here } = {}) {
  const folder = await makeTemporaryFolder();
  const paths = { checkout: folder, state: folder, cache: folder, data: folder };
  const data = join(folder, 'wealist');
  await mkdir(data);
  const previous = { id: 'PREVIOUS', socket };
  await writeEngineRecord(data, previous);
  const record = {
    ...{ name: 'wealist', httpPort: 80, httpsPort: 443, controller: 'traefik' as const },
    ...{ nodes: [], extras: [], lacking: [], engine: previous },
  };
  await writeClusterRecord(paths, record);
  const asked: string[] = [];
  const app = {
    paths,
    signal: new AbortController().signal,
    confirm: async ({ lines }: { readonly lines: readonly string[] }, confirmed: boolean) => {
      asked.push(...lines);
      if (!confirmed) throw new Error('not confirmed');
    },
  };
  const { host } = await makeHost();
  const require = (options: object = {}) =>
    requireOwnEngine(app, engine, { host, name: 'wealist', record, adopt: { confirmed: true }, ...options });
  return { folder, data, paths, host, asked, require };
}

test('an engine that was replaced at its socket: its data are used after confirmation', async () => {
  const { data, paths, asked, require } = await makeReplaced();
  expect(await require()).toMatchObject({ name: 'wealist', engine: undefined });
  expect(asked.join()).toContain(data);
  expect(await findEngineRecord(data)).toBeUndefined();
  expect((await findClusterRecord(paths))?.engine).toBeUndefined();
});

test('without confirmation, and in commands that adopt nothing, both records stay', async () => {
  const { data, require } = await makeReplaced();
  await expect(require({ adopt: { confirmed: false } })).rejects.toThrow('not confirmed');
  await expect(require({ adopt: undefined })).rejects.toMatchObject({ exitCode: 9 });
  expect(await findEngineRecord(data)).toMatchObject({ id: 'PREVIOUS' });
});

test('an engine at another socket may still run the cluster, and is not asked about', async () => {
  const { asked, require } = await makeReplaced({ socket: '/run/user/1000/docker.sock' });
  await expect(require()).rejects.toMatchObject({ exitCode: 9 });
  expect(asked).toEqual([]);
});

test('an engine that responds at another socket of this user was not replaced', async () => {
  const { folder, asked, host, require } = await makeReplaced();
  const info = { ...docker.info, ID: 'PREVIOUS' };
  await startEngine({ ...dockerRoutes, 'GET /info': info }, join(folder, 'docker.sock'));
  const elsewhere = { ...host, env: { DOCKER_HOST: `unix://${here}`, XDG_RUNTIME_DIR: folder } };
  await expect(require({ host: elsewhere })).rejects.toMatchObject({ exitCode: 9 });
  expect(asked).toEqual([]);
});
