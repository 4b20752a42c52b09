import { cp, mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkNetwork, type NetworkContext } from '../../src/machine/checks/network.ts';
import { listMirrors } from '../../src/machine/mirrors.ts';
import { createDocker } from '../../src/tools/docker/docker.ts';
import { type Routes, sendJson, startEngine } from '../fakes/engine.ts';
import { debian, makeHost } from '../fakes/host.ts';

const checkout = resolve(import.meta.dirname, '../..');

async function serve(date = new Date()): Promise<string> {
  const server = createServer((_, response) => response.writeHead(200, { date: date.toUTCString() }).end());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A machine whose npm, Go and apt are set to `mirror`, and an engine that responds about registries as `routes` define. */
async function prepare(mirror: string, routes: Routes, env: NodeJS.ProcessEnv = {}) {
  const fake = await makeHost({
    files: debian,
    env: { npm_config_registry: mirror, ...env },
    programs: { go: `echo ${mirror},direct` },
  });
  await mkdir(join(fake.root, 'images'));
  await cp(join(checkout, 'images/catalog.yaml'), join(fake.root, 'images/catalog.yaml'));
  const folders = { checkout: fake.root, state: fake.root, cache: fake.root, data: fake.root };
  const context: NetworkContext = {
    host: fake.host,
    engine: undefined,
    docker: createDocker({ socket: await startEngine(routes) }, fake.exec),
    exec: fake.exec,
    paths: folders,
    demand: { kubernetes: '1.34.4', partsToBuild: { programs: 0, roots: 0 } },
    signal: new AbortController().signal,
    registryMirror: 'mirror.example:5000',
  };
  return context;
}

const asked = 'GET /distribution/mirror.example:5000';
/** The first image of the catalog stands for its registry. */
const routesOf = (answer: Routes[string]): Routes => {
  const image = 'kindest/node:v1.34.11';
  return { [`${asked}/${image}/json`]: answer };
};
const refuse = (message: string): Routes => routesOf((_, response) => sendJson(response, 500, { message }));

test('a registry and mirrors that respond', async () => {
  const context = await prepare(await serve(), routesOf({ Descriptor: { digest: 'sha256:1' } }));
  const checks = await checkNetwork(context);
  expect(checks.map(({ id, title, state }) => `${id} ${title} ${state}`)).toEqual([
    'registry registry mirror.example:5000 ok',
    'mirror npm packages from 127.0.0.1 ok',
    'mirror Go modules from 127.0.0.1 ok',
  ]);
});

test('a registry without the image is reachable all the same', async () => {
  const context = await prepare(await serve(), refuse('manifest unknown: manifest unknown'));
  expect((await checkNetwork(context))[0]).toMatchObject({ id: 'registry', state: 'ok' });
});

test('a registry that cannot be reached is not a failure: images are built', async () => {
  const context = await prepare(await serve(), refuse('dial tcp: lookup mirror.example: no such host'));
  const [registry, ...others] = await checkNetwork(context);
  expect(registry).toMatchObject({
    state: 'warn',
    detail: expect.stringContaining('no such host: images are built'),
  });
  expect(others.every(({ state }) => state === 'ok')).toBe(true);
});

test('a registry that never responds is a warning after the timeout', async () => {
  const context = await prepare(
    await serve(),
    routesOf(() => {}),
  );
  const [registry] = await checkNetwork({ ...context, timeout: 50 });
  expect(registry).toMatchObject({
    state: 'warn',
    detail: 'no response in 0.05 s: images are built from packages',
  });
});

test('one that requires a login has the command as its fix', async () => {
  const context = await prepare(await serve(), refuse('unauthorized: authentication required'));
  expect((await checkNetwork(context))[0]).toMatchObject({
    state: 'warn',
    fix: 'docker login mirror.example:5000',
  });
});

test('neither way to an image', async () => {
  const context = await prepare('http://127.0.0.1:1/', refuse('connection refused'));
  const checks = await checkNetwork(context);
  expect(checks.at(-1)).toMatchObject({ id: 'offline', state: 'warn' });
  expect(checks.every(({ state }) => state === 'warn')).toBe(true);
});

test("a clock that differs from a server's", async () => {
  const context = await prepare(await serve(new Date(Date.now() + 120_000)), routesOf({ Descriptor: {} }));
  const clock = (await checkNetwork(context)).find(({ id }) => id === 'clock');
  expect(clock?.detail).toMatch(/^this machine's clock is (119|120|121) s behind$/);
});

test('a proxy that would receive requests to this machine', async () => {
  const mirror = await serve();
  const proxy = { http_proxy: 'http://127.0.0.1:1', no_proxy: '' };
  const context = await prepare(mirror, routesOf({ Descriptor: {} }), proxy);
  expect(await checkNetwork(context)).toContainEqual(
    expect.objectContaining({ id: 'proxy', state: 'warn', fix: 'export NO_PROXY=127.0.0.1,localhost' }),
  );
});

test("mirrors come from the machine's own settings, each server once", async () => {
  const { host, exec } = await makeHost({
    files: debian,
    programs: {
      npm: 'echo https://npm.example/',
      go: 'echo "https://go.example|https://other.example,direct"',
      'apt-get': 'printf "http://deb.example/debian/\\nhttp://deb.example/security/\\n"',
    },
  });
  expect(await listMirrors(host, exec, new AbortController().signal)).toEqual([
    { holds: 'npm packages', url: 'https://npm.example/' },
    { holds: 'Go modules', url: 'https://go.example' },
    { holds: 'Go modules', url: 'https://other.example' },
    { holds: 'Debian packages', url: 'http://deb.example/security/' },
  ]);
});
