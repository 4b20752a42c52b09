import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../src/images/store/store.ts';
import { CommandFailure } from '../../src/lib/failure.ts';
import { digestOf } from '../../src/lib/oci.ts';
import { listRuns } from '../../src/state/runs.ts';
import { exec } from '../../src/tools/exec.ts';
import { dockerRoutes, startEngine } from '../fakes/engine.ts';
import { makeUnused } from '../fakes/unused.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const bin = resolve(import.meta.dirname, '../../src/bin.js');

/** A user without an engine, a network or anything in the cache. */
async function makeUser() {
  const folder = await makeTemporaryFolder();
  const env = {
    HOME: folder,
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    WEALIST_STATE_DIR: join(folder, 'state'),
    DOCKER_HOST: `unix://${join(folder, 'docker.sock')}`,
    HTTPS_PROXY: 'http://127.0.0.1:1',
  };
  const run = (...args: readonly string[]) =>
    exec(process.execPath, [bin, ...args], { env }).then(
      ({ stdout, stderr }) => ({ status: 0 as number | undefined, stdout, stderr }),
      (error: unknown) => {
        if (error instanceof CommandFailure) return error;
        throw error;
      },
    );
  return {
    run,
    images: (...args: readonly string[]) => run('images', ...args),
    socket: join(folder, 'docker.sock'),
    cache: join(folder, 'cache/wealist-local'),
    state: join(folder, 'state'),
    store: openStore(join(folder, 'cache/wealist-local')),
    data: join(folder, 'data/wealist-local'),
  };
}

test('lists every image, and the disk usage of the cache', async () => {
  const { images } = await makeUser();
  const { status, stdout } = await images('--json');
  expect(status).toBe(0);
  const { images: listed, cache } = JSON.parse(stdout);
  const names = (needed: boolean) =>
    listed
      .filter((each: { needed: boolean }) => each.needed === needed)
      .map(({ name }: { name: string }) => name);
  expect(names(true)).toEqual(
    expect.arrayContaining(['node', 'postgres', 'traefik', 'service-base', 'frontend']),
  );
  // The other ingress controller, and images of extras that are not deployed.
  expect(names(false)).toEqual(expect.arrayContaining(['nginx', 'prometheus', 'grafana']));
  expect(listed.every(({ origin }: { origin?: string }) => origin === undefined)).toBe(true);
  expect(cache).toMatchObject({ store: 0, go: 0 });
  expect((await images()).stdout).toMatch(/^postgres +needed +missing$/m);
});

test('prune shows what it would free, asks for confirmation, removes it, and is recorded', async () => {
  const { images, store, cache, state } = await makeUser();
  await store.putImage('built-redis-0000000000000000', { config: '{}', layers: [] });
  await store.putFile('kube-0000000000000000', (path) => writeFile(path, 'x'.repeat(2000)));
  await makeUnused(cache, 'images/built-redis-0000000000000000.json', 'files/kube-0000000000000000');
  const asked = await images('prune');
  expect(asked.status).toBe(2);
  expect(asked.stderr).toContain('1 image in the cache: removed');
  expect(asked.stderr).toContain('1 program in the cache: 2.0 kB');
  expect((await store.list()).files).toHaveLength(1);

  const agreed = await images('prune', '--yes', '--json');
  expect(JSON.parse(agreed.stdout)).toMatchObject({ freed: 2000 });
  expect(await store.list()).toEqual({ images: [], files: [], blobs: [] });
  expect((await images('prune')).stdout).toBe('nothing to remove');
  const common = { command: 'images', trigger: expect.stringMatching(/^(terminal|npm)$/), state: 'ended' };
  expect(await listRuns({ state })).toMatchObject([
    { ...common, args: ['prune'], exitCode: 0, steps: [] },
    {
      ...common,
      args: ['prune', '--yes'],
      exitCode: 0,
      steps: [{ step: 'remove', state: 'done' }],
    },
    { ...common, args: ['prune'], exitCode: 2, failure: { hint: 'npm run images -- prune --yes' } },
  ]);
});

test('a record of runs that cannot be written is reported once, and the command does its work', async () => {
  const { images, store, cache, state } = await makeUser();
  await store.putFile('kube-0000000000000000', (path) => writeFile(path, 'program'));
  await makeUnused(cache, 'files/kube-0000000000000000');
  await mkdir(join(state, 'runs.ndjson'), { recursive: true });
  const { status, stderr } = await images('prune', '--yes');
  expect(status).toBe(0);
  expect(stderr.match(/the record of runs .*/g)).toEqual([
    expect.stringContaining(
      `${join(state, 'runs.ndjson')} is incomplete: EISDIR: illegal operation on a directory`,
    ),
  ]);
  expect((await store.list()).files).toEqual([]);
});

test('images belong to no cluster, so the cluster of another checkout does not prevent a prune', async () => {
  const { run, images, socket } = await makeUser();
  const Labels = { 'io.x-k8s.kind.cluster': 'wealist' };
  await startEngine(
    {
      ...dockerRoutes,
      'GET /images/json': [],
      'GET /system/df': { BuildCache: null },
      'GET /containers/json': [{ Id: 'c1', Names: ['/wealist-control-plane'], State: 'running', Labels }],
      'GET /containers/c1/json': {
        Id: 'c1',
        Name: '/wealist-control-plane',
        Config: { Image: 'node', Labels },
        State: { Status: 'running' },
        HostConfig: {},
        NetworkSettings: {},
        Mounts: [],
      },
    },
    socket,
  );
  // Commands on that cluster are refused for this checkout.
  expect(await run('down')).toMatchObject({ status: 9 });
  expect(await images()).toMatchObject({ status: 0 });
  expect(await images('prune', '--yes')).toMatchObject({ status: 0 });
});

test('accept records the given digest', async () => {
  const { images, data } = await makeUser();
  const { status } = await images('accept', `docker.io/library/redis:8.0.3@${digestOf('new')}`);
  expect(status).toBe(0);
  expect(JSON.parse(await readFile(join(data, 'image-digests.json'), 'utf8'))).toEqual({
    'docker.io/library/redis:8.0.3': digestOf('new'),
  });
});

test('build without an engine fails with its fix', async () => {
  const { images } = await makeUser();
  const { status, stderr } = await images('build', 'redis');
  expect(status).toBe(3);
  expect(stderr).toContain('(DOCKER_HOST) is not running');
});

test.each([
  [['list', '--all'], '✗ --all requires the action prune\n  fix      npm run images -- prune --all'],
  [['prune', 'redis'], '✗ prune takes no names\n  fix      npm run images prune'],
  [['accept', 'redis'], '✗ accept requires one image with its tag and digest'],
])('images %j: exit code 2 and a fix', async (args, message) => {
  const { images } = await makeUser();
  const { status, stderr } = await images(...args);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
});

test('an unknown image is refused with the nearest name', async () => {
  const { images, data } = await makeUser();
  await mkdir(data, { recursive: true });
  const { status, stderr } = await images('build', 'redsi');
  expect(stderr).toContain('✗ "redsi" is not an image, nearest is redis');
  expect(status).toBe(2);
});
