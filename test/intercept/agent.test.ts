import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, get, type RequestListener, request } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createForward } from '../../src/forward/forward.ts';
import { createLocalProgram } from '../../src/intercept/local-program.ts';
import { createApiServer } from '../../src/tools/kubernetes/api-server.ts';
import { keepPodTunnel } from '../../src/tools/kubernetes/pod-tunnel.ts';
import { startApiServer } from '../fakes/api-server.ts';
import { makePod, ready } from '../fakes/cluster-objects.ts';

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function findFreePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The agent as it runs in the pod. Resolves, when it listens, to a function that waits until it has printed a line. */
async function startAgent(
  ports: { readonly port: number; readonly tunnel: number },
  settings: NodeJS.ProcessEnv,
): Promise<(line: string) => Promise<void>> {
  const program = await readFile('src/intercept/agent.js', 'utf8');
  const agent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    env: {
      PORT: String(ports.port),
      TUNNEL_PORT: String(ports.tunnel),
      SERVICE: 'board-service',
      HINT: 'npm run status',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void agent.kill('SIGKILL'));
  let printed = '';
  agent.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  const said = (line: string) =>
    vi.waitFor(() => expect(printed).toContain(`${line}\n`), { timeout: 10_000 });
  await said(`agent of board-service: port ${ports.port}`);
  return said;
}

/** An agent, the tunnel to it through an API server, and the requests that come to the agent's port. */
async function intercept(serve: (connection: Duplex) => void, settings: NodeJS.ProcessEnv = {}) {
  const [port, tunnel] = [await findFreePort(), await findFreePort()];
  const said = await startAgent({ port, tunnel }, settings);
  const fake = await startApiServer();
  fake.ports.set('agent', tunnel);
  fake.setPod(makePod('agent', 'owner', { conditions: ready }));
  const stop = new AbortController();
  let opened = 0;
  let lost = 0;
  const kept = keepPodTunnel(createApiServer({ server: fake.url }), {
    target: { namespace: 'wealist-kind-local', pod: 'agent', port: tunnel },
    signal: stop.signal,
    onConnection: serve,
    onOpen: () => opened++,
    onLost: () => lost++,
  });
  kept.catch(() => {});
  onTestFinished(() => stop.abort(new Error('end of the test')));
  await vi.waitFor(() => expect(opened).toBe(1), { timeout: 10_000 });
  return { port, origin: `http://127.0.0.1:${port}`, fake, stop, said, count: () => ({ opened, lost }) };
}

/** The same with a program of this machine behind it, as the command has it. */
async function interceptProgram(respond: RequestListener, settings?: NodeJS.ProcessEnv) {
  const server = createServer(respond);
  const port = await listen(server);
  const stop = new AbortController();
  const program = createLocalProgram({ port, findPod: () => undefined });
  const forward = createForward(program, {
    protocol: 'http',
    status: 502,
    signal: stop.signal,
    timeout: program.remainingWait,
    explain: async () => 'nothing listens',
  });
  onTestFinished(() => {
    stop.abort(new Error('end of the test'));
    forward.close();
    server.closeAllConnections();
  });
  const intercepted = await intercept(
    (connection) => void forward.serve(connection).catch(() => {}),
    settings,
  );
  return { ...intercepted, server, localPort: port, forward, program };
}

/** Sends a request and resolves to its status and body. */
async function ask(url: string, body?: Buffer): Promise<{ status: number | undefined; body: string }> {
  const sent = request(url, { method: body ? 'POST' : 'GET', agent: false }).end(body);
  const [response] = await once(sent, 'response');
  return { status: response.statusCode, body: await text(response) };
}

const hashOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');

test('200 requests at once, with bodies in both directions, arrive whole', async () => {
  const { origin } = await interceptProgram(async (request, response) => {
    const content = await buffer(request);
    response.setHeader('x-hash', hashOf(content));
    response.end(content);
  });
  const bodies = Array.from({ length: 200 }, (_, at) => randomBytes(1 + at * 500));
  const hashes = await Promise.all(
    bodies.map(async (body) => {
      const sent = request(origin, { method: 'POST', agent: false }).end(body);
      const [response] = await once(sent, 'response');
      return [response.headers['x-hash'], hashOf(await buffer(response))];
    }),
  );
  expect(hashes).toEqual(bodies.map((body) => [hashOf(body), hashOf(body)]));
});

test('a reader that is slow does not hold others up, and gets everything', async () => {
  const content = randomBytes(12 * 1024 * 1024);
  const { origin } = await interceptProgram((request, response) => {
    if (request.url === '/large') response.end(content);
    else response.end('small');
  });
  const [response] = await once(get(`${origin}/large`, { agent: false }), 'response');
  await sleep(300);
  for (let at = 0; at < 20; at++) expect((await ask(origin)).body).toBe('small');
  expect(hashOf(await buffer(response))).toBe(hashOf(content));
});

test('WebSocket works in both directions and ends', async () => {
  const { origin, server } = await interceptProgram((_, response) => response.end());
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (message) => socket.send(`echo ${message}`)));
  const socket = new WebSocket(origin.replace('http', 'ws'));
  await once(socket, 'open');
  for (const word of ['one', 'two']) {
    socket.send(word);
    const [message] = await once(socket, 'message');
    expect(String(message)).toBe(`echo ${word}`);
  }
  socket.close();
  await once(socket, 'close');
});

test('each direction of a connection ends by itself', async () => {
  const { port } = await intercept((connection) => {
    let received = '';
    connection.on('data', (chunk) => {
      received += chunk;
    });
    connection.on('end', () => setTimeout(() => connection.end(`got ${received}`), 50));
  });
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  client.end('all of it');
  expect(await text(client)).toBe('got all of it');
});

test('while the program does not listen: 502 with the reason, and once it listens again, its response', async () => {
  const { origin, server, localPort, program } = await interceptProgram((_, response) =>
    response.end('program'),
  );
  expect(await ask(origin)).toEqual({ status: 200, body: 'program' });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  // It listened a moment ago, and may be restarting.
  expect(program.remainingWait()).toBeGreaterThan(2_000);
  const held = ask(origin);
  await sleep(200);
  server.listen(localPort, '127.0.0.1');
  expect(await held).toEqual({ status: 200, body: 'program' });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await vi.waitFor(() => expect(program.remainingWait()).toBe(0), { timeout: 5_000 });
  expect(await ask(origin)).toEqual({ status: 502, body: 'nothing listens\n' });
});

test('a request that waits when the tunnel is lost gets 502, a later one 503 with the reason', async () => {
  const asked = vi.fn();
  const { origin, stop } = await interceptProgram(asked);
  const waiting = ask(origin);
  await vi.waitFor(() => expect(asked).toHaveBeenCalled());
  stop.abort(new Error('killed'));
  const reason =
    'the connection to the machine on which board-service is intercepted was lost\nnpm run status\n';
  expect(await waiting).toEqual({ status: 502, body: reason });
  expect(await ask(origin)).toEqual({ status: 503, body: reason });
});

test('a lost tunnel is opened again, and requests meanwhile wait', async () => {
  const { origin, fake, said, count } = await interceptProgram((_, response) => response.end('program'), {
    RECONNECT_TIMEOUT: '60000',
  });
  fake.setDown(true);
  await said('disconnected');
  const held = ask(origin);
  fake.setDown(false);
  expect(await held).toEqual({ status: 200, body: 'program' });
  expect(count().opened).toBe(2);
});
