import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { makePod, ready } from '../fakes/cluster-objects.ts';
import { labels, listenOn, readyPod, startForward } from '../fakes/forwarded-service.ts';

test('a keep-alive connection outlives its pod', async () => {
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

test('a terminating pod finishes the response that it has begun', async () => {
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

test('requests and responses arrive unchanged', async () => {
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

test('a WebSocket connection is forwarded', async () => {
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

test('a delivered request without a response is not repeated: 502', async () => {
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

test('an undelivered body goes to the next pod', async () => {
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

test('consecutive requests share one connection to the pod', async () => {
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
