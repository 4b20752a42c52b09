import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get, request } from 'node:http';
import { connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { intercept, interceptProgram } from '../fakes/intercepted-service.ts';

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
