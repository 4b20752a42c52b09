import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createForward } from '../../src/live/forward.ts';
import { createPodBoard } from '../../src/live/pod-board.ts';
import { createApiServer } from '../../src/tools/api-server.ts';
import { findPart } from '../../src/tools/kubernetes.ts';
import { listenOnLoopback } from '../../src/tools/loopback.ts';
import { dialPod } from '../../src/tools/port-forward.ts';
import { startApiServer } from '../fakes/api-server.ts';
import { makePod, ready } from '../fakes/cluster-objects.ts';

const labels = { 'app.kubernetes.io/part-of': 'wealist', 'app.kubernetes.io/name': 'auth-service' };
const readyPod = (name: string, created: string) =>
  makePod(name, 'auth', { labels, conditions: ready, created });

/** A program in a pod that answers each request with its name, and its own end of a connection with nothing. */
async function startProgram(name: string): Promise<number> {
  const server = createServer((_, response) => response.end(name));
  return listenOn(server);
}

async function listenOn(server: ReturnType<typeof createTcpServer> | ReturnType<typeof createServer>) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A cluster in memory and a port of this machine that leads to its auth-service. */
async function start({ patience = 5_000 } = {}) {
  const fake = await startApiServer();
  const api = createApiServer({ server: fake.url });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const namespace = 'wealist-kind-local';
  const board = createPodBoard(api, { namespace, partOf: findPart, signal: stop.signal, every: 20 });
  board.keep().catch(() => {});
  const told: boolean[] = [];
  const serve = createForward(
    {
      async dial(gone) {
        const pod = board.findReady('auth-service');
        if (!pod) return undefined;
        const stream = await dialPod(api, { namespace, pod: pod.metadata.name, port: 8080 }, gone);
        return { stream, ending: board.ending(pod, gone) };
      },
      changed: board.changed,
    },
    { signal: stop.signal, patience, tellAfter: 50, onWaiting: (isWaiting) => told.push(isWaiting) },
  );
  const failures: unknown[] = [];
  const listener = await listenOnLoopback(await freePort(), (connection) => {
    serve(connection).catch((error) => failures.push(error));
  });
  if (!listener) throw new Error('the port was taken meanwhile');
  onTestFinished(() => listener.close());
  onTestFinished(() => expect(failures).toEqual([]));

  return {
    fake,
    told,
    port: listener.port,
    /** A pod with a program that answers with the pod's name. */
    async addPod(name: string, created: string): Promise<void> {
      fake.ports.set(name, await startProgram(name));
      fake.setPod(readyPod(name, created));
    },
    ask: (agent?: Agent) =>
      new Promise<string>((resolve, reject) => {
        const request = get({ port: listener.port, host: '127.0.0.1', agent: agent ?? false }, (response) => {
          text(response).then(resolve, reject);
        });
        request.on('error', reject);
      }),
  };
}

test('leads to the newest pod that is ready', async () => {
  const { addPod, ask, fake } = await start();
  await addPod('old', '2026-01-01T00:00:00Z');
  await vi.waitFor(async () => expect(await ask()).toBe('old'));
  fake.setPod(makePod('starting', 'auth', { labels, created: '2026-01-03T00:00:00Z' }));
  await addPod('new', '2026-01-02T00:00:00Z');
  await vi.waitFor(async () => expect(await ask()).toBe('new'));
});

test('while no pod is ready, connections wait and are then served', async () => {
  const { addPod, ask, told } = await start();
  const answers = Promise.all([ask(), ask(), ask()]);
  await vi.waitFor(() => expect(told).toEqual([true]));
  await addPod('first', '2026-01-01T00:00:00Z');
  expect(await answers).toEqual(['first', 'first', 'first']);
  await vi.waitFor(() => expect(told).toEqual([true, false]));
});

test('a pod that is replaced costs no request', async () => {
  const { addPod, ask, fake } = await start();
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

test('a kept-alive connection moves on when its pod begins to end, without a failing request', async () => {
  const { addPod, ask, fake } = await start();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  await addPod('old', '2026-01-01T00:00:00Z');
  await vi.waitFor(async () => expect(await ask(agent)).toBe('old'));
  await addPod('new', '2026-01-02T00:00:00Z');
  expect(await ask(agent)).toBe('old');
  fake.setPod(makePod('old', 'auth', { labels, conditions: ready, deleted: '2026-01-02T00:00:00Z' }));
  await sleep(200);
  fake.removePod('old');
  expect(await ask(agent)).toBe('new');
});

test('what is asked when the pod begins to end is answered by it', async () => {
  const { port, fake } = await start();
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
  const { addPod, ask, fake } = await start();
  // Ready, as far as the cluster knows, but nothing listens in it.
  fake.setPod(readyPod('dying', '2026-01-01T00:00:00Z'));
  const answer = ask();
  await sleep(100);
  await addPod('living', '2026-01-02T00:00:00Z');
  expect(await answer).toBe('living');
});

test('what was delivered is not sent again', async () => {
  const { port, fake } = await start();
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

test('a wait has an end', async () => {
  const { ask, told } = await start({ patience: 200 });
  await expect(ask()).rejects.toThrow();
  expect(told).toEqual([true]);
});

test('goes on after a silence of the cluster', async () => {
  const { addPod, ask, fake } = await start();
  await addPod('old', '2026-01-01T00:00:00Z');
  await vi.waitFor(async () => expect(await ask()).toBe('old'));
  fake.setDown(true);
  const answer = ask();
  await sleep(100);
  fake.setDown(false);
  expect(await answer).toBe('old');
});

test('large streams in both directions at once, whole and in order', async () => {
  const { port, fake } = await start();
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
  const { port, fake } = await start();
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

test('kept-alive connections are one connection to the pod', async () => {
  const { addPod, ask, fake } = await start();
  await addPod('old', '2026-01-01T00:00:00Z');
  await vi.waitFor(async () => expect(await ask()).toBe('old'));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const before = fake.asked.length;
  for (let round = 0; round < 5; round++) expect(await ask(agent)).toBe('old');
  expect(fake.asked.length - before).toBe(1);
  agent.destroy();
});

test('a taken port is not listened on', async () => {
  const taken = await listenOn(createTcpServer());
  expect(await listenOnLoopback(taken, () => {})).toBeUndefined();
});
