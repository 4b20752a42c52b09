import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parseForwardTarget, toForwardTarget } from '../../src/commands/context/forward-targets.ts';
import { command } from '../../src/commands/forward.ts';
import { startApiServer } from '../fakes/api-server.ts';
import { environment, makeApp } from '../fakes/app.ts';
import { makeClusterFolder, writeKubeconfig } from '../fakes/cluster-folder.ts';
import { makePod, ready } from '../fakes/cluster-objects.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const labels = { 'app.kubernetes.io/part-of': 'wealist', 'app.kubernetes.io/name': 'auth-service' };

async function listen(
  server: ReturnType<typeof createServer> | ReturnType<typeof createTcpServer>,
  port = 0,
) {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** An auth-service that responds, and an environment in which its port is free, or taken if `isTaken`. */
async function start({ isTaken = false } = {}) {
  const fake = await startApiServer();
  fake.ports.set('auth', await listen(createServer((_, response) => response.end('auth'))));
  fake.setPod(makePod('auth', 'owner', { labels, conditions: ready }));
  const wanted = createTcpServer();
  const port = await listen(wanted);
  if (!isTaken) await new Promise((resolve) => wanted.close(resolve));

  const interrupt = new AbortController();
  const state = await makeClusterFolder({ server: fake.url });
  const { app, stdout, stderr } = makeApp({ state, json: true, signal: interrupt.signal });
  const { 'auth-service': auth } = environment.services;
  const services = { 'auth-service': { ...auth, port } as NonNullable<typeof auth> };
  const ended = command
    .run({ ...app, environment: async () => ({ ...environment, services }) }, { targets: ['auth-service'] })
    .catch((error) => error);
  await vi.waitFor(() => expect(stdout()).not.toBe(''), { timeout: 5_000 });
  return { port, report: JSON.parse(stdout()), stderr, interrupt, ended, fake, state };
}

test('opens the wanted port, prints how to use it, and closes it at the end', async () => {
  const { port, report, interrupt, ended } = await start();
  expect(report).toEqual({
    version: 1,
    forwards: [
      { name: 'auth-service', address: `127.0.0.1:${port}`, port, usage: `http://127.0.0.1:${port}/` },
    ],
  });
  const address = `http://127.0.0.1:${port}/`;
  expect(await (await fetch(address)).text()).toBe('auth');
  interrupt.abort(new Error('interrupted'));
  expect(await ended).toMatchObject({ message: 'interrupted' });
  await expect(fetch(address)).rejects.toThrow();
});

test('after down and up, it forwards to the new cluster', async () => {
  const { port, interrupt, ended, fake, state, stderr } = await start();
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/`)).text();
  expect(await ask()).toBe('auth');
  fake.setDown(true);
  await rm(join(state, 'kubeconfig'));
  await vi.waitFor(
    () => expect(stderr()).toContain('the cluster was removed: connections wait for it'),
    5_000,
  );
  const answer = ask();
  const next = await startApiServer();
  next.ports.set('auth', await listen(createServer((_, response) => response.end('new'))));
  next.setPod(makePod('auth', 'owner', { labels, conditions: ready }));
  await writeKubeconfig(state, next.url);
  expect(await answer).toBe('new');
  interrupt.abort(new Error('interrupted'));
  await ended;
});

test('uses the next free port if the wanted one is taken, and prints which process has it', async () => {
  const { port, report, stderr, interrupt } = await start({ isTaken: true });
  const [{ port: given }] = report.forwards;
  expect(given).toBeGreaterThan(port);
  expect(stderr()).toMatch(new RegExp(`^port ${port} is taken.*: auth-service is on ${given}$`, 'm'));
  interrupt.abort(new Error('interrupted'));
});

test.each([
  ['auth-service:5005', 5005, 5005],
  ['frontend:443', 443, 10_443],
  ['auth-service:8080', 8080, 8080],
])('%s is port %d of its pods, here %d', (word, port, wantedPort) => {
  expect(parseForwardTarget(environment, word)).toMatchObject({ port, wantedPort });
});

test.each([
  'auth-service:',
  'auth-service:0',
  'auth-service:65536',
  'auth-service:http',
  'auth-service:5005x',
])('%s names no port', (word) => {
  expect(() => parseForwardTarget(environment, word)).toThrow(`${word} names no port`);
});

test.each([
  ['frontend', 3000, 'http://127.0.0.1:3000/'],
  ['auth-service', 8080, 'http://127.0.0.1:8080/'],
  ['postgres', 5432, /^PGPASSWORD="\$\(npm run -s kubectl .*DB_PASSWORD.*\)" psql -h 127\.0\.0\.1 -p 5432 /],
  ['redis', 6379, /^REDISCLI_AUTH="\$\(.*REDIS_PASSWORD.*\)" redis-cli .* -p 6379$/],
  ['s3', 7070, /^AWS_ACCESS_KEY_ID=.* aws --endpoint-url http:\/\/127\.0\.0\.1:7070 s3 ls$/],
])('%s wants port %d', (name, port, usage) => {
  const target = toForwardTarget(environment, name);
  expect(target.wantedPort).toBe(port);
  expect(target.toUsage(port, 'wealist-kind-local')).toMatch(usage);
});

test('a cluster that does not respond ends it', async () => {
  const { app } = makeApp({ state: await makeClusterFolder() });
  await expect(command.run(app, { targets: ['redis'] })).rejects.toMatchObject({
    message: 'the cluster does not respond',
    exitCode: 5,
  });
});

test('without a cluster it suggests npm run up', async () => {
  const { app } = makeApp({ state: await makeTemporaryFolder() });
  await expect(command.run(app, { targets: [] })).rejects.toMatchObject({ hint: 'npm run up', exitCode: 5 });
});
