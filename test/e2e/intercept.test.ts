import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { StatusReport } from '../../src/commands/context/status/status-report.ts';
import { listDescendants } from '../../src/lib/processes.ts';
import { kubectl, listObjects, namespace } from './cluster.ts';
import { request, requestJson } from './ingress.ts';
import { sendRequests } from './requests.ts';
import type { Running } from './running.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const service = 'board-service';
const agent = `${service}-intercept`;
let board = '';

/** Responds to everything, and echoes messages. */
const program = `
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
const server = createServer((request, response) => {
  let bytes = 0;
  request.on('data', (chunk) => { bytes += chunk.length; });
  request.on('end', () => response.end('program got ' + bytes));
});
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (message) => socket.send('program got ' + message));
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => { server.close(); server.closeIdleConnections(); });
`;
let file = '';

beforeAll(async () => {
  const origin = (await checkout.up()).addresses[0]?.url ?? '';
  board = `${origin}svc/board/`;
  file = join(checkout.root, 'program.mjs');
  await writeFile(file, program);
});

async function findFreePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

/** Intercepts the service by a command, until the end of the test. Resolves when requests go there. */
async function intercept(...command: string[]): Promise<Running> {
  const running = checkout.start('intercept', service, '--port', await findFreePort(), '--', ...command);
  onTestFinished(() => running.kill());
  await running.said(`${service} is served by 127.0.0.1:`);
  return running;
}

/** The process of wealist-local itself, which npm has started. */
async function findOwnProcess(running: Running): Promise<number> {
  for (const { pid } of await listDescendants(running.pid)) {
    const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (argv.slice(1, 3).some((word) => word.endsWith('bin.js'))) return pid;
  }
  throw new Error('wealist-local does not run');
}

async function readPart() {
  const { stdout } = await checkout.run('status', '--json');
  return StatusReport.parse(JSON.parse(stdout)).parts.find(({ name }) => name === service);
}

async function readService() {
  const [found] = (await listObjects(checkout, 'services', `--namespace=${namespace}`)).filter(
    ({ metadata }) => metadata.name === service,
  );
  const { metadata, spec } = found as unknown as {
    readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
    readonly spec: { readonly selector: Readonly<Record<string, string>> };
  };
  return { mark: metadata.annotations['wealist.local/intercept'], selector: spec.selector };
}

const ownSelector = { 'app.kubernetes.io/name': service, 'app.kubernetes.io/instance': service };

/** Objects of the agent that still exist. */
async function listTraces() {
  const { stdout } = await kubectl(
    checkout,
    ...['get', 'pods,serviceaccounts,roles,rolebindings,networkpolicies'],
    ...[`--namespace=${namespace}`, '--output=name'],
  );
  return stdout.split('\n').filter((line) => line.endsWith(agent));
}

describe('intercept', () => {
  test('a program of this machine has the environment of the pod, and is called from everywhere', async () => {
    const running = await intercept(process.execPath, '--import', 'tsx', 'main.ts');
    const row = await requestJson<{ id: number }>(`${board}api/boards`, { text: 'from this machine' });
    expect(await requestJson(`${board}api/boards/${row.id}`)).toMatchObject({ text: 'from this machine' });
    // What it needs in the cluster responds to it.
    const calls = await request(`${board}api/boards/calls`);
    expect(calls.status, calls.body).toBe(200);
    // Its pods are replaced meanwhile.
    await expect.poll(readPart, { timeout: 60_000 }).toMatchObject({
      state: 'ready',
      intercepted: expect.stringMatching(/^intercepted by this machine \(.*main\.ts, PID \d+\)$/),
    });
    expect(await readPart()).not.toHaveProperty('freshness');
    // From a pod that may call it.
    const ask = `fetch('http://${service}:8000/api/boards/${row.id}').then(async (each) => console.log(await each.text()))`;
    const pod = ['exec', `--namespace=${namespace}`, 'deployment/frontend', '--', 'node', '--eval', ask];
    expect((await kubectl(checkout, ...pod)).stdout).toContain('from this machine');
    process.kill(await findOwnProcess(running), 'SIGINT');
    expect(await running.ended).toMatchObject({ exitCode: 130 });
  });

  test('no request is lost when it begins and ends, and commands meanwhile leave it', async () => {
    const asking = sendRequests(`${board}health/ready`);
    const running = await intercept(process.execPath, file);
    expect(await request(`${board}x`, { method: 'POST', body: 'x'.repeat(12_000_000) })).toEqual({
      status: 200,
      body: 'program got 12000000',
    });
    const socket = new WebSocket(`${board.replace('http', 'ws')}ws`);
    await once(socket, 'open');
    socket.send('hello');
    expect(String((await once(socket, 'message'))[0])).toBe('program got hello');
    socket.close();

    // The pods were replaced, so that callers leave the connections that they had kept to them.
    await expect.poll(readPart, { timeout: 60_000 }).toMatchObject({ state: 'ready' });
    expect(await checkout.up()).toMatchObject({ changed: false });
    const second = await checkout.run('intercept', service, '--', process.execPath, file);
    expect(second).toMatchObject({ exitCode: 10 });
    expect(second.stderr).toMatch(/board-service is intercepted by PID \d+/);
    expect((await request(`${board}x`)).body).toBe('program got 0');

    process.kill(await findOwnProcess(running), 'SIGINT');
    expect(await running.ended).toMatchObject({ exitCode: 130 });
    const results = await asking.stop();
    expect(results.filter(({ status }) => status !== 200)).toEqual([]);
    expect(results.filter(({ body }) => body === 'program got 0').length).toBeGreaterThan(50);
    expect(results.at(-1)?.body).toContain('ready');
    expect(await readService()).toEqual({ mark: undefined, selector: ownSelector });
    await expect.poll(listTraces).toEqual([]);
  });

  test('after kill -9 the service is its pods again by itself, and the next up removes the rest', async () => {
    const running = await intercept(process.execPath, file);
    process.kill(await findOwnProcess(running), 'SIGKILL');
    await expect
      .poll(async () => (await request(`${board}health/ready`)).body, { timeout: 30_000 })
      .toContain('"ready":true');
    expect((await readService()).selector).toEqual(ownSelector);
    await running.kill();
    await checkout.up();
    expect(await readService()).toEqual({ mark: undefined, selector: ownSelector });
    await expect.poll(listTraces).toEqual([]);
  });

  test('the exit code of the program is that of the command', async () => {
    const running = await intercept('sh', '-c', `"${process.execPath}" "${file}" & sleep 8; kill $!; exit 7`);
    expect(await running.ended).toMatchObject({ exitCode: 7 });
    expect(await readService()).toEqual({ mark: undefined, selector: ownSelector });
  });

  test('a program that does not exist changes nothing', async () => {
    const { exitCode, stderr } = await checkout.run('intercept', service, '--', './no-such-program');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 3 });
    expect(stderr).toContain('no-such-program is not installed');
    expect(await readService()).toEqual({ mark: undefined, selector: ownSelector });
  });

  test('the environment for an IDE is in a file of its user alone, and in no output', async () => {
    const target = join(checkout.folder, 'board.env');
    const running = checkout.start(
      'intercept',
      service,
      '--port',
      await findFreePort(),
      '--env-file',
      target,
    );
    onTestFinished(() => running.kill());
    await running.said(`environment: ${target}`);
    const content = await readFile(target, 'utf8');
    const password = /^DB_PASSWORD=(.+)$/m.exec(content)?.[1] ?? '';
    expect(password.length).toBeGreaterThan(8);
    expect(content).toMatch(/^DATABASE_URL=.*@127\.0\.0\.1:\d+\//m);
    expect((await stat(target)).mode & 0o777).toBe(0o600);
    running.signalGroup('SIGINT');
    const { stdout, stderr } = await running.ended;
    expect(stdout + stderr).not.toContain(password);
    await writeFile(target, 'MINE=1\n');
    expect(await checkout.run('intercept', service, '--env-file', target)).toMatchObject({ exitCode: 9 });
    expect(await readFile(target, 'utf8')).toBe('MINE=1\n');
  });
});
