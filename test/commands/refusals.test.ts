import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CommandFailure } from '../../src/lib/failure.ts';
import { findEngineRecord, writeEngineRecord } from '../../src/state/engine-record.ts';
import { findOwnerRecord, writeOwnerRecord } from '../../src/state/owner-record.ts';
import type { ContainerState } from '../../src/tools/docker/containers.ts';
import { exec } from '../../src/tools/exec.ts';
import { startNodeEngine } from '../fakes/node-engine.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const bin = resolve(import.meta.dirname, '../../src/bin.js');
const ours = '0123456789abcdef';

/** A checkout with the running cluster `wealist`, whose node mounts the owner folder `owner` of `data`. */
async function makeCheckout({
  owner = ours,
  mounted = 'data',
  id = ours as string | undefined,
  isCreated = true,
  engine = undefined as object | undefined,
  state: nodeState = 'running' as ContainerState,
  httpPort = 8090,
} = {}) {
  const folder = await makeTemporaryFolder();
  const state = join(folder, 'state');
  const toData = (name: string) => join(folder, name, 'wealist-local/wealist');
  const ownerFolder = join(toData(mounted), 'owners', owner);
  await Promise.all([mkdir(state), mkdir(ownerFolder, { recursive: true })]);
  if (id !== undefined) await writeFile(join(state, 'id'), `${id}\n`);
  const record = {
    version: 1,
    name: 'wealist',
    httpPort: 8090,
    httpsPort: 8091,
    controller: 'traefik',
    engine,
  };
  await writeFile(join(state, 'cluster.json'), JSON.stringify(record));
  await writeFile(join(state, 'kubeconfig'), '{}');
  const socket = await startNodeEngine(
    isCreated ? [{ owner: ownerFolder, state: nodeState, httpPort }] : [],
    { id: 'HERE' },
  );

  async function run(...words: string[]) {
    const env = {
      PATH: join(folder, 'bin'),
      HOME: folder,
      XDG_DATA_HOME: join(folder, 'data'),
      XDG_CACHE_HOME: join(folder, 'cache'),
      WEALIST_STATE_DIR: state,
      DOCKER_HOST: `unix://${socket}`,
      npm_config_registry: 'http://127.0.0.1:1/',
    };
    return exec(process.execPath, [bin, ...words], { env }).then(
      ({ stdout, stderr }) => ({ status: 0 as number | undefined, stdout, stderr }),
      (error: unknown) => {
        if (error instanceof CommandFailure) return error;
        throw error;
      },
    );
  }
  return { folder, state, data: toData('data'), toData, ownerFolder, socket, run };
}

describe('a cluster whose data is in another folder', () => {
  test.each([
    ['npm run up', 'up', '--yes'],
    ['npm run up', 'up', '--dry-run'],
    ['npm run down -- --delete-data', 'down', '--delete-data', '--yes'],
    ['npm run db', 'db', 'save', 'before'],
    ['npm run db', 'db', 'reset', '--yes'],
  ])('%s is refused before anything is written: %s %s', async (again, ...words) => {
    const { folder, toData, run } = await makeCheckout({ mounted: 'other' });
    const { status, stderr } = await run(...words);
    expect({ status, stderr }).toMatchObject({
      status: 9,
      stderr: expect.stringContaining(
        `✗ cluster wealist has its data in ${toData('other')}, and the data folder of this run is ${toData('data')}\n`,
      ),
    });
    expect(stderr).toContain(`  XDG_DATA_HOME=${join(folder, 'other')} ${again}, or npm run down, which`);
    expect(await readdir(folder)).not.toContain('data');
    expect(await readdir(toData('other'))).toEqual(['owners']);
  });
});

test('down removes a cluster whose data is in another folder, and names that folder', async () => {
  const { toData, run } = await makeCheckout({ mounted: 'other' });
  const { status, stdout } = await run('down');
  expect({ status, stdout }).toMatchObject({
    status: 0,
    stdout: expect.stringContaining(`its data is preserved in ${toData('other')}`),
  });
  expect(await readdir(toData('other'))).toEqual(['owners']);
});

describe('a cluster that was created in another engine', () => {
  const there = { id: 'THERE', socket: '/run/there.sock' };

  test.each([
    ['data folder', 'up', '--yes'],
    ['data folder', 'down', '--delete-data', '--yes'],
    ['checkout', 'up', '--dry-run'],
    ['checkout', 'down'],
  ])('by the record of the %s: %s is refused with the ways out', async (where, ...words) => {
    const isInData = where === 'data folder';
    const engine = isInData ? undefined : there;
    const { state, data, socket, run } = await makeCheckout({ isCreated: false, engine });
    if (isInData) await writeEngineRecord(data, there);
    const before = await readdir(data);
    const { status, stderr } = await run(...words);
    expect({ status, stderr }).toMatchObject({
      status: 9,
      stderr: expect.stringContaining(
        `✗ cluster wealist was created in the container engine THERE at ${there.socket}, and the current one is HERE at ${socket}\n`,
      ),
    });
    const file = isInData ? `${data}/engine.json` : `${state}/cluster.json`;
    expect(stderr).toContain(
      `DOCKER_HOST=unix://${there.socket} npm run down; or npm run up -- --name wealist-2; or, if that engine no longer exists: rm ${file}`,
    );
    expect(await readdir(data)).toEqual(before);
  });

  test('and that engine was replaced at its socket: the hint does not lead there', async () => {
    const { data, socket, run } = await makeCheckout({ isCreated: false });
    await writeEngineRecord(data, { id: 'PREVIOUS', socket });
    const { status, stderr } = await run('up', '--dry-run');
    expect({ status, stderr }).toMatchObject({
      status: 9,
      stderr: expect.not.stringContaining('DOCKER_HOST'),
    });
    expect(stderr).toContain('npm run up, which asks whether it was replaced; or');
    expect(await run('up')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(
        '✗ using the data of cluster wealist in another container engine requires confirmation',
      ),
    });
    expect(await findEngineRecord(data)).toMatchObject({ id: 'PREVIOUS' });
  });

  test('by an earlier version, which recorded no engine, is not refused', async () => {
    const { run } = await makeCheckout({ isCreated: false });
    expect(await run('up', '--dry-run')).toMatchObject({ status: 0 });
  });

  test('but exists in this one is not refused: the ID of the engine has changed', async () => {
    const { data, run } = await makeCheckout({ engine: there });
    await writeEngineRecord(data, there);
    expect(await run('up', '--dry-run')).toMatchObject({ status: 0 });
  });
});

test('down lets another engine use the data, and down --stop does not', async () => {
  const { data, run } = await makeCheckout();
  const here = { id: 'HERE', socket: '/run/docker.sock' };
  await writeEngineRecord(data, here);
  await run('down', '--stop');
  expect(await findEngineRecord(data)).toEqual(here);
  expect(await run('down')).toMatchObject({ status: 0 });
  expect(await findEngineRecord(data)).toBeUndefined();
});

describe('a cluster whose checkout no longer exists', () => {
  const gone = { checkout: '/nowhere/checkout', state: '/nowhere/checkout/.wealist' };
  const belongs = `cluster wealist belongs to checkout ${gone.checkout}, which no longer exists`;

  test('up asks before it adopts the cluster', async () => {
    const { ownerFolder, run } = await makeCheckout({ owner: 'a'.repeat(16), id: undefined });
    await writeOwnerRecord(ownerFolder, gone);
    const { status, stderr } = await run('up');
    expect({ status, stderr }).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('✗ adopting cluster wealist requires confirmation'),
    });
    expect(await findOwnerRecord(ownerFolder)).toEqual(gone);
  });

  test.each([
    ['up', '--dry-run'],
    ['down', '--stop'],
    ['reload', 'auth-service'],
  ])('%s %s refuses it, and names the command that adopts it', async (...words) => {
    const { ownerFolder, run } = await makeCheckout({ owner: 'a'.repeat(16) });
    await writeOwnerRecord(ownerFolder, gone);
    const { status, stderr } = await run(...words);
    expect({ status, stderr }).toMatchObject({
      status: 9,
      stderr: expect.stringContaining(`✗ ${belongs}\n`),
    });
    expect(stderr).toContain('npm run up -- --name wealist, which adopts the cluster after you confirm');
  });

  test('status names it, and the command that adopts it', async () => {
    const { ownerFolder, run } = await makeCheckout({ owner: 'a'.repeat(16) });
    await writeOwnerRecord(ownerFolder, gone);
    expect((await run('status')).stdout).toContain(`${belongs}; npm run up adopts it\n`);
  });

  test('its data can be deleted once it is removed; that of an unknown checkout cannot', async () => {
    const { data, ownerFolder, run } = await makeCheckout({ owner: 'a'.repeat(16), isCreated: false });
    const { status, stderr } = await run('down', '--delete-data', '--yes');
    expect({ status, stderr }).toMatchObject({
      status: 9,
      stderr: expect.stringContaining(`✗ the data in ${data}`),
    });
    await writeOwnerRecord(ownerFolder, gone);
    expect(await run('down', '--delete-data', '--yes')).toMatchObject({ status: 0 });
    await expect(readdir(data)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test.each([
  ['reload', 'auth-service'],
  ['db', 'save', 'before'],
  ['shell', 'auth-service'],
])('with an engine that does not run, %s names the engine, not the cluster', async (...words) => {
  const { socket, run } = await makeCheckout();
  await rm(socket);
  const { status, stderr } = await run(...words);
  expect({ status, stderr }).toMatchObject({
    status: 3,
    stderr: expect.stringContaining(`✗ the container engine at ${socket} (DOCKER_HOST) is not running\n`),
  });
});

describe('a stopped cluster', () => {
  test.each([['--yes'], ['--dry-run']])(
    'whose port was taken meanwhile: up %s names who has it',
    async (flag) => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      const { run } = await makeCheckout({ state: 'exited', httpPort: port });
      expect(await run('up', flag)).toMatchObject({
        status: 4,
        stderr: expect.stringMatching(
          new RegExp(
            `cluster wealist cannot be started: port ${port} is in use by \\S+ \\(PID ${process.pid}\\)`,
          ),
        ),
      });
    },
  );
});
