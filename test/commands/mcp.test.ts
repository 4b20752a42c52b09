import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { secretKeys } from '../../src/lib/secret-rules.ts';
import { toLogTime } from '../../src/logs/log-line.ts';
import { acquireLock } from '../../src/state/lock.ts';
import type { Pod } from '../../src/tools/kubernetes/objects.ts';
import { makeCanary } from '../e2e/canary.ts';
import { startApiServer } from '../fakes/api-server.ts';
import { makeClusterFolder } from '../fakes/cluster-folder.ts';
import { makeStatus } from '../fakes/cluster-objects.ts';
import { dockerRoutes, startEngine } from '../fakes/engine.ts';
import { startMcp } from '../fakes/mcp.ts';
import { makeComponent, node } from '../fakes/platform.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const checkout = join(import.meta.dirname, '../..');

async function makeEnv(state?: string) {
  const home = await makeTemporaryFolder();
  const engine = await startEngine({ ...dockerRoutes, 'GET /containers/json': [] });
  return {
    HOME: home,
    XDG_DATA_HOME: join(home, 'data'),
    XDG_CACHE_HOME: join(home, 'cache'),
    WEALIST_STATE_DIR: state ?? join(home, 'state'),
    DOCKER_HOST: `unix://${engine}`,
  };
}

/** A cluster in which auth-service crashes and has logged its passwords. */
async function startCluster() {
  const api = await startApiServer();
  const ingress = createServer((_, response) => response.end());
  await new Promise<void>((resolve) => ingress.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void ingress.close());
  const crashing = {
    containerStatuses: makeStatus({
      ...{ name: 'auth-service', containerID: 'containerd://auth', restartCount: 2 },
      ...{ state: { waiting: { reason: 'CrashLoopBackOff' } } },
      lastState: { terminated: { exitCode: 1, startedAt: '2026-11-23T11:59:00Z' } },
    }),
  };
  const objects = makeComponent('auth-service', 8080, { status: crashing });
  api.setObjects([node, ...objects]);
  api.startRun('auth-service-0', 'auth-service');
  for (const object of objects) if (object.kind === 'Pod') api.setPod(object as Pod);
  const state = await makeClusterFolder({
    ...{ server: api.url, httpPort: (ingress.address() as AddressInfo).port },
  });
  const env = await makeEnv(state);
  const secrets = Object.fromEntries(secretKeys.map((key) => [key, `9f86d081/"${key}"`]));
  const data = join(env.XDG_DATA_HOME, 'wealist-local/wealist');
  await mkdir(data, { recursive: true });
  await writeFile(join(data, 'secrets.yaml'), JSON.stringify({ shared: { secrets } }));
  return { api, state, env, secrets };
}

test('finds what is broken in a cluster, without its passwords in any result', async () => {
  const { api, state, env, secrets } = await startCluster();
  const canary = makeCanary(secrets);
  const { DB_PASSWORD: password = '' } = secrets;
  const lines = [password, encodeURIComponent(password), Buffer.from(password).toString('base64')].map(
    (each) => `cannot connect to ${each}`,
  );
  for (const [at, text] of lines.entries()) {
    api.writeLog('auth-service-0', 'auth-service', { time: toLogTime(at * 1000), text });
  }
  await writeFile(join(state, 'logs/auth-service-0.auth-service.previous'), lines.join('\n'));
  const { call } = await startMcp(env);

  const status = await call('status');
  expect(status.value).toMatchObject({ ready: false, cluster: { state: 'running' } });
  expect(status.value.shown.find(({ name }: { name: string }) => name === 'auth-service')).toMatchObject({
    ...{ state: 'failed', unmetNeeds: expect.arrayContaining(['redis']) },
  });
  const why = await call('why', { part: 'auth-service' });
  expect(JSON.stringify(why.value.causes)).toContain('cannot connect to ***');
  const logs = await call('logs', { parts: ['auth-service'], grep: 'connect' });
  expect(logs.value.lines.map((line: string) => line.replace(/^\S+ /, ''))).toEqual(
    lines.map(() => 'auth-service cannot connect to ***'),
  );
  for (const { value } of [status, why, logs]) expect(canary.findIn(JSON.stringify(value))).toBeUndefined();
});

test('without a cluster: status says so, and what needs one fails with exit code 5', async () => {
  const { call } = await startMcp(await makeEnv());
  expect(await call('status')).toMatchObject({
    ...{ isError: false, value: { cluster: { state: 'missing' }, ready: false, next: 'npm run up' } },
  });
  const failure = { isError: true, value: { exitCode: 5, fix: 'npm run up' } };
  expect(await call('reload', { services: ['auth-service'] })).toMatchObject(failure);
  expect(await call('logs')).toMatchObject(failure);
  // Nothing has begun.
  expect((await call('runs')).value).toEqual({ runs: [] });
});

test('while another run holds the lock, one that writes is refused with exit code 10', async () => {
  const env = await makeEnv();
  const lock = await acquireLock(join(env.WEALIST_STATE_DIR, 'lock'), { command: 'npm run up' });
  onTestFinished(() => lock.release());
  const { call } = await startMcp(env);
  const { isError, value } = await call('up');
  expect({ isError, value }).toMatchObject({ isError: true, value: { exitCode: 10 } });
  expect(value.failed).toContain(`npm run up (PID ${process.pid})`);
});

test('a remote environment is read only with --allow-env, and never written', async () => {
  const env = await makeEnv();
  await mkdir(env.WEALIST_STATE_DIR, { recursive: true });
  await writeFile(join(env.WEALIST_STATE_DIR, 'environment.json'), '{"version":1,"name":"dev"}');
  const refusing = await startMcp(env);
  for (const name of ['status', 'why', 'logs', 'plan']) {
    expect(await refusing.call(name)).toMatchObject({
      ...{
        isError: true,
        value: { exitCode: 9, failed: expect.stringContaining('environment dev is remote') },
      },
    });
  }
  const allowing = await startMcp(env, '--allow-env');
  // It is read, as far as its kube context goes.
  expect((await allowing.call('status', { env: 'dev' })).value.failed).not.toContain('reads only local ones');
  expect(await allowing.call('reload', { services: ['auth-service'] })).toMatchObject({
    ...{ isError: true, value: { exitCode: 9, failed: expect.stringContaining('reload is refused') } },
  });
});

test('--read-only has no tool that writes', async () => {
  const { client } = await startMcp(await makeEnv(), '--read-only');
  const names = (await client.listTools()).tools.map(({ name }) => name);
  expect(names).toEqual(['status', 'why', 'logs', 'plan', 'doctor', 'runs']);
});

test('stdout carries the protocol only, and the server ends with its stdin', async () => {
  const env = await makeEnv();
  const child = spawn(process.execPath, [join(checkout, 'src/bin.js'), 'mcp', '--verbose'], {
    ...{ env: { PATH: process.env.PATH, ...env }, stdio: ['pipe', 'pipe', 'ignore'] },
  });
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
  send({ id: 1, method: 'initialize', params });
  send({ method: 'notifications/initialized' });
  send({
    id: 2,
    method: 'tools/call',
    params: { name: 'reload', arguments: { services: ['auth-service'] } },
  });
  send({ id: 3, method: 'tools/call', params: { name: 'nothing', arguments: {} } });
  const messages = () =>
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  await expect
    .poll(
      () =>
        messages()
          .map(({ id }) => id)
          .sort(),
      { timeout: 20_000 },
    )
    .toEqual([1, 2, 3]);
  expect(messages().every(({ jsonrpc }) => jsonrpc === '2.0')).toBe(true);
  child.stdin.end();
  expect(await once(child, 'exit')).toEqual([0, null]);
});
