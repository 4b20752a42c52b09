import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { listenOnLoopback } from '../../src/tools/loopback.ts';
import { makePod, ready } from '../fakes/cluster-objects.ts';
import { labels, listenOn, readyPod, startForward } from '../fakes/forwarded-service.ts';

test('leads to the newest pod that is ready', async () => {
  const { addPod, ask, fake } = await startForward();
  await addPod('old', '2026-01-01T00:00:00Z');
  await vi.waitFor(async () => expect(await ask()).toBe('old'));
  fake.setPod(makePod('starting', 'auth', { labels, created: '2026-01-03T00:00:00Z' }));
  await addPod('new', '2026-01-02T00:00:00Z');
  await vi.waitFor(async () => expect(await ask()).toBe('new'));
});

test('while no pod is ready, connections wait and are then served', async () => {
  const { addPod, ask, notified } = await startForward();
  const answers = Promise.all([ask(), ask(), ask()]);
  await vi.waitFor(() => expect(notified).toEqual([true]));
  await addPod('first', '2026-01-01T00:00:00Z');
  expect(await answers).toEqual(['first', 'first', 'first']);
  await vi.waitFor(() => expect(notified).toEqual([true, false]));
});

test('a pod that is replaced costs no request', async () => {
  const { addPod, ask, fake } = await startForward();
  await addPod('old', '2026-01-01T00:00:00Z');
  const answers: Promise<string>[] = [];
  for (let round = 0; round < 40; round++) {
    answers.push(ask());
    await sleep(5);
    if (round === 10) fake.setPod(makePod('new', 'auth', { labels, created: '2026-01-02T00:00:00Z' }));
    if (round === 20) {
      // Not ready any more, and gone a moment later: the next one is not there yet.
      fake.setPod(makePod('old', 'auth', { labels, conditions: ready, deleted: '2026-01-02T00:00:00Z' }));
    }
    if (round === 30) await addPod('new', '2026-01-02T00:00:00Z');
  }
  const given = await Promise.all(answers);
  expect(new Set(given)).toEqual(new Set(['old', 'new']));
});

test('a kept-alive connection outlives the pod that answered it', async () => {
  const { addPod, ask, fake } = await startForward();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  await addPod('old', '2026-01-01T00:00:00Z');
  await vi.waitFor(async () => expect(await ask(agent)).toBe('old'));
  const given = new Set<string>();
  const connections = new Set<unknown>();
  for (let round = 0; round < 40; round++) {
    given.add(await ask(agent));
    for (const sockets of Object.values(agent.freeSockets))
      for (const each of sockets ?? []) connections.add(each);
    if (round === 10) await addPod('new', '2026-01-02T00:00:00Z');
    if (round === 20) {
      fake.setPod(makePod('old', 'auth', { labels, conditions: ready, deleted: '2026-01-02T00:00:00Z' }));
    }
    if (round === 30) fake.removePod('old');
    await sleep(5);
  }
  expect(given).toEqual(new Set(['old', 'new']));
  expect(connections.size).toBe(1);
});

test('an answer that has begun is finished by the pod that began it', async () => {
  const { port, fake, addPod } = await startForward();
  let go = () => {};
  const program = await listenOn(
    createServer((_, response) => {
      response.write('first, ');
      go = () => response.end('last');
    }),
  );
  fake.ports.set('old', program);
  fake.setPod(readyPod('old', '2026-01-01T00:00:00Z'));
  await sleep(50);
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  await addPod('new', '2026-01-02T00:00:00Z');
  fake.setPod(makePod('old', 'auth', { labels, conditions: ready, deleted: '2026-01-02T00:00:00Z' }));
  await sleep(300);
  go();
  expect(await answer.text()).toBe('first, last');
});

test('requests and answers arrive as they were sent', async () => {
  const { port, fake } = await startForward();
  const program = await listenOn(
    createServer(async (request, response) => {
      const body = await buffer(request);
      response.writeHead(201, 'As asked', { 'X-Method': request.method, 'Set-Cookie': ['a=1', 'b=2'] });
      response.end(JSON.stringify({ url: request.url, tag: request.headers['x-tag'], size: body.length }));
    }),
  );
  fake.ports.set('auth', program);
  fake.setPod(readyPod('auth', '2026-01-01T00:00:00Z'));
  await sleep(50);
  const url = `http://127.0.0.1:${port}/a%20b?c=%2F`;
  const tagged = { headers: { 'X-Tag': '252' } };
  const whole = await fetch(url, { ...tagged, method: 'POST', body: Buffer.alloc(300_000) });
  expect([whole.status, whole.statusText]).toEqual([201, 'As asked']);
  expect(whole.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(await whole.json()).toEqual({ url: '/a%20b?c=%2F', tag: '252', size: 300_000 });
  const body = Readable.toWeb(
    Readable.from(['x'.repeat(100_000), 'y'.repeat(100_000)].map((each) => Buffer.from(each))),
  );
  const chunked = await fetch(url, { method: 'PUT', body, duplex: 'half' } as RequestInit);
  expect(await chunked.json()).toMatchObject({ size: 200_000 });
  const head = await fetch(url, { method: 'HEAD' });
  expect([head.headers.get('x-method'), await head.text()]).toEqual(['HEAD', '']);
  const gone = await fetch(url, { method: 'DELETE' });
  expect(await gone.json()).toMatchObject({ size: 0 });
});

test('a WebSocket is a connection of its own', async () => {
  const { port, fake } = await startForward();
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, { url }) => {
    socket.on('message', (data) => socket.send(`${url} ${data}`));
  });
  fake.ports.set('auth', await listenOn(server));
  fake.setPod(readyPod('auth', '2026-01-01T00:00:00Z'));
  await sleep(50);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/project/1`);
  await once(socket, 'open');
  socket.send('hello');
  const [said] = await once(socket, 'message');
  expect(String(said)).toBe('/ws/project/1 hello');
  socket.terminate();
});

test('what is asked when the pod begins to end is answered by it', async () => {
  const { port, fake } = await startForward({ protocol: 'redis' });
  const program = await listenOn(
    createTcpServer((socket) => {
      socket.on('data', () => setTimeout(() => socket.write('done'), 100));
    }),
  );
  fake.ports.set('old', program);
  fake.setPod(readyPod('old', '2026-01-01T00:00:00Z'));
  await sleep(50);
  const socket = connect(port, '127.0.0.1');
  socket.write('a long request');
  await sleep(50);
  fake.setPod(makePod('old', 'auth', { labels, conditions: ready, deleted: '2026-01-02T00:00:00Z' }));
  expect(await text(socket)).toBe('done');
});

test('what nobody took is given to the next pod, with all its bytes', async () => {
  const { addPod, ask, fake } = await startForward();
  // Ready, as far as the cluster knows, but nothing listens in it.
  fake.setPod(readyPod('dying', '2026-01-01T00:00:00Z'));
  const answer = ask();
  await sleep(100);
  await addPod('living', '2026-01-02T00:00:00Z');
  expect(await answer).toBe('living');
});

test('what was delivered is not sent again', async () => {
  const { port, fake } = await startForward({ protocol: 'redis' });
  let delivered = 0;
  const program = await listenOn(
    createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        delivered++;
        socket.destroy();
      });
    }),
  );
  fake.ports.set('crashing', program);
  fake.setPod(readyPod('crashing', '2026-01-01T00:00:00Z'));
  await sleep(50);
  const socket = connect(port, '127.0.0.1');
  socket.write('debit one euro');
  await Promise.race([once(socket, 'close'), once(socket, 'end')]);
  expect(delivered).toBe(1);
});

test('what a pod took and did not answer is not asked again: 502', async () => {
  const { port, fake } = await startForward();
  let asked = 0;
  const program = await listenOn(
    createServer((request) => {
      asked++;
      request.socket.destroy();
    }),
  );
  fake.ports.set('crashing', program);
  fake.setPod(readyPod('crashing', '2026-01-01T00:00:00Z'));
  await sleep(50);
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'debit one euro' });
  expect(answer.status).toBe(502);
  expect(await answer.text()).toContain('not repeated');
  expect(asked).toBe(1);
});

test('a body that nobody took goes to the next pod', async () => {
  const { port, fake } = await startForward();
  fake.setPod(readyPod('dying', '2026-01-01T00:00:00Z'));
  await sleep(50);
  const answer = fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'once' });
  await sleep(150);
  const bodies: string[] = [];
  const program = await listenOn(
    createServer(async (request, response) => {
      bodies.push(await text(request));
      response.end('taken');
    }),
  );
  fake.ports.set('living', program);
  fake.setPod(readyPod('living', '2026-01-02T00:00:00Z'));
  expect(await (await answer).text()).toBe('taken');
  expect(bodies).toEqual(['once']);
});

test('a wait has an end: 503 with the reason', async () => {
  const { port, notified } = await startForward({ timeout: 200 });
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await answer.text()).toBe('auth-service is not ready: timeout\n');
  expect(notified).toEqual([true]);
  const upgrade = new WebSocket(`ws://127.0.0.1:${port}/`);
  const [, response] = await once(upgrade, 'unexpected-response');
  expect(response.statusCode).toBe(503);
  expect(await text(response)).toBe('auth-service is not ready: timeout\n');
});

test('no more wait than may: 503 at once', async () => {
  const { port, ask, addPod } = await startForward({ maxWaiting: 2 });
  const waiting = [ask(), ask()];
  await sleep(100);
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect([answer.status, await answer.text()]).toEqual([503, 'auth-service is not ready: full\n']);
  await addPod('first', '2026-01-01T00:00:00Z');
  expect(await Promise.all(waiting)).toEqual(['first', 'first']);
});

test('PostgreSQL and Redis say it in their own words', async () => {
  const redis = await startForward({ timeout: 100, protocol: 'redis' });
  const asking = connect(redis.port, '127.0.0.1');
  asking.write('PING\r\n');
  expect(await text(asking)).toBe('-ERR auth-service is not ready: timeout\r\n');

  const postgres = await startForward({ timeout: 100, protocol: 'postgres' });
  const config = { host: '127.0.0.1', port: postgres.port, user: 'postgres', database: 'postgres' };
  for (const ssl of [false, { rejectUnauthorized: false }]) {
    const client = new pg.Client({ ...config, ssl });
    const refused = await client.connect().catch((error) => error);
    expect(refused.message).toMatch(ssl ? /does not support SSL/ : /^auth-service is not ready: timeout$/);
  }
});

test('goes on after a silence of the cluster', async () => {
  const { addPod, ask, fake } = await startForward();
  await addPod('old', '2026-01-01T00:00:00Z');
  await vi.waitFor(async () => expect(await ask()).toBe('old'));
  fake.setDown(true);
  const answer = ask();
  await sleep(100);
  fake.setDown(false);
  expect(await answer).toBe('old');
});

test('large streams in both directions at once, whole and in order', async () => {
  const { port, fake } = await startForward({ protocol: 'redis' });
  const echo = await listenOn(createTcpServer((socket: Socket) => socket.pipe(socket)));
  fake.ports.set('echo', echo);
  fake.setPod(readyPod('echo', '2026-01-01T00:00:00Z'));
  await sleep(50);
  const sent = Buffer.alloc(4 * 1024 * 1024, 'wealist ');
  const socket = connect(port, '127.0.0.1');
  const received: Buffer[] = [];
  socket.on('data', (chunk) => received.push(chunk));
  socket.write(sent);
  const size = () => received.reduce((sum, { length }) => sum + length, 0);
  await vi.waitFor(() => expect(size()).toBe(sent.length), { timeout: 10_000 });
  expect(Buffer.concat(received).equals(sent)).toBe(true);
  socket.destroy();
});

test('a client that has said all still hears the answer', async () => {
  const { port, fake } = await startForward({ protocol: 'redis' });
  const program = await listenOn(
    createTcpServer((socket) => {
      socket.on('data', () => setTimeout(() => socket.write('PONG'), 50));
    }),
  );
  fake.ports.set('redis', program);
  fake.setPod(readyPod('redis', '2026-01-01T00:00:00Z'));
  await sleep(50);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end('PING');
  expect(await text(socket)).toBe('PONG');
});

test('requests one after the other are one connection to the pod, whoever asks', async () => {
  const { addPod, ask, fake } = await startForward();
  await addPod('old', '2026-01-01T00:00:00Z');
  await vi.waitFor(async () => expect(await ask()).toBe('old'));
  const dials = () => fake.requests.filter((path) => path.includes('portforward')).length;
  const before = dials();
  for (let round = 0; round < 5; round++) expect(await ask()).toBe('old');
  expect(dials() - before).toBe(0);
  await sleep(1_200);
  expect(await ask()).toBe('old');
  expect(dials() - before).toBe(1);
});

test('a taken port is not listened on', async () => {
  const taken = await listenOn(createTcpServer());
  expect(await listenOnLoopback(taken, () => {})).toBeUndefined();
});
