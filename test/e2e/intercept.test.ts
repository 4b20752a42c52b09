import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { kubectl, namespace } from './cluster.ts';
import { request, requestJson } from './ingress.ts';
import {
  findFreePort,
  findOwnProcess,
  intercept,
  listTraces,
  ownSelector,
  readPart,
  readService,
  service,
  writeProgram,
} from './intercepted.ts';
import { sendRequests } from './requests.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
let board = '';
let file = '';

beforeAll(async () => {
  const origin = (await checkout.up()).addresses[0]?.url ?? '';
  board = `${origin}svc/board/`;
  file = await writeProgram(checkout);
});

describe('intercept', () => {
  test('a program of this machine has the environment of the pod, and is called from everywhere', async () => {
    const running = await intercept(checkout, process.execPath, '--import', 'tsx', 'main.ts');
    const row = await requestJson<{ id: number }>(`${board}api/boards`, { text: 'from this machine' });
    expect(await requestJson(`${board}api/boards/${row.id}`)).toMatchObject({ text: 'from this machine' });
    // What it needs in the cluster responds to it.
    const calls = await request(`${board}api/boards/calls`);
    expect(calls.status, calls.body).toBe(200);
    // Its pods are replaced meanwhile.
    await expect
      .poll(() => readPart(checkout), { timeout: 60_000 })
      .toMatchObject({
        state: 'ready',
        intercepted: expect.stringMatching(/^intercepted by this machine \(.*main\.ts, PID \d+\)$/),
      });
    expect(await readPart(checkout)).not.toHaveProperty('freshness');
    // From a pod that may call it.
    const ask = `fetch('http://${service}:8000/api/boards/${row.id}').then(async (each) => console.log(await each.text()))`;
    const pod = ['exec', `--namespace=${namespace}`, 'deployment/frontend', '--', 'node', '--eval', ask];
    expect((await kubectl(checkout, ...pod)).stdout).toContain('from this machine');
    process.kill(await findOwnProcess(running), 'SIGINT');
    expect(await running.ended).toMatchObject({ exitCode: 130 });
  });

  test('no request is lost when it begins and ends, and commands meanwhile leave it', async () => {
    const asking = sendRequests(`${board}health/ready`);
    const running = await intercept(checkout, process.execPath, file);
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
    await expect.poll(() => readPart(checkout), { timeout: 60_000 }).toMatchObject({ state: 'ready' });
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
    expect(await readService(checkout)).toEqual({ mark: undefined, selector: ownSelector });
    await expect.poll(() => listTraces(checkout)).toEqual([]);
  });

  test('after kill -9 the service is its pods again by itself, and the next up removes the rest', async () => {
    const running = await intercept(checkout, process.execPath, file);
    process.kill(await findOwnProcess(running), 'SIGKILL');
    await expect
      .poll(async () => (await request(`${board}health/ready`)).body, { timeout: 30_000 })
      .toContain('"ready":true');
    expect((await readService(checkout)).selector).toEqual(ownSelector);
    await running.kill();
    await checkout.up();
    expect(await readService(checkout)).toEqual({ mark: undefined, selector: ownSelector });
    await expect.poll(() => listTraces(checkout)).toEqual([]);
  });

  test('the exit code of the program is that of the command', async () => {
    const running = await intercept(
      checkout,
      'sh',
      '-c',
      `"${process.execPath}" "${file}" & sleep 8; kill $!; exit 7`,
    );
    expect(await running.ended).toMatchObject({ exitCode: 7 });
    expect(await readService(checkout)).toEqual({ mark: undefined, selector: ownSelector });
  });

  test('a program that does not exist changes nothing', async () => {
    const { exitCode, stderr } = await checkout.run('intercept', service, '--', './no-such-program');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 3 });
    expect(stderr).toContain('no-such-program is not installed');
    expect(await readService(checkout)).toEqual({ mark: undefined, selector: ownSelector });
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
