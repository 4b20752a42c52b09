import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  createServer as createHttp2Server,
} from 'node:http2';
import { connect, createServer, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { interceptServer } from '../fakes/intercepted-service.ts';

const hashOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');

/** A connection to the service, of which each direction ends by itself. */
function call(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** All that comes until the other side ends. Unlike node:stream/consumers, it leaves this side open. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}
const readText = async (socket: Socket) => String(await readAll(socket));

/** A server of plain TCP on this machine, behind the service. */
const serve = (onConnection: (socket: Socket) => unknown) =>
  interceptServer(
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      onConnection(socket);
    }),
  );

test('a protocol of its own: what the client ends is ended, and the answer comes after that', async () => {
  const { port } = await serve(async (socket) => {
    const received = await readText(socket);
    // Longer than a timer that would take silence for the end.
    await sleep(1_500);
    socket.end(`got ${received}`);
  });
  const client = call(port);
  client.end('all of it');
  expect(await readText(client)).toBe('got all of it');
});

test('a server that ends first still gets what the client sends', async () => {
  let received = '';
  const { port } = await serve((socket) => {
    socket.end('that is all from here');
    socket.on('data', (chunk) => {
      received += chunk;
    });
  });
  const client = call(port);
  client.write('one, ');
  expect(await readText(client)).toBe('that is all from here');
  client.write('two, ');
  await sleep(50);
  client.end('three');
  await vi.waitFor(() => expect(received).toBe('one, two, three'), { timeout: 5_000 });
});

test('a server that speaks first, to a client that waits for it', async () => {
  let accepted = 0;
  const { port } = await serve((socket) => {
    accepted++;
    socket.write('220 ready\n');
    socket.on('data', (chunk) => socket.end(`250 ${chunk}`));
  });
  const client = call(port);
  const [greeting] = await once(client, 'data');
  expect(String(greeting)).toBe('220 ready\n');
  client.end('HELO');
  expect(await readText(client)).toBe('250 HELO');
  expect(accepted).toBe(1);
});

test('a word that could begin a request, and does not go on', async () => {
  const { port } = await serve((socket) => socket.on('data', (chunk) => socket.end(`got ${chunk}`)));
  const client = call(port);
  client.write('GET');
  expect(await readText(client)).toBe('got GET');
});

test('a flood of connections in both directions arrives whole and in order', {
  timeout: 60_000,
}, async () => {
  const { port } = await serve((socket) => socket.pipe(socket));
  const results = await Promise.all(
    Array.from({ length: 150 }, async (_, at) => {
      const sent = randomBytes(50_000 + at * 100);
      const client = call(port);
      const received = readAll(client);
      for (let from = 0; from < sent.length; from += 7_001) client.write(sent.subarray(from, from + 7_001));
      client.end();
      return hashOf(await received) === hashOf(sent);
    }),
  );
  expect(results.filter((isWhole) => !isWhole)).toEqual([]);
});

test('a client that does not read stops its server, and no other connection', {
  timeout: 60_000,
}, async () => {
  const size = 64 * 1024 * 1024;
  let sent = 0;
  const { port } = await serve(async (socket) => {
    const [first] = await once(socket, 'data');
    if (String(first) === 'small') return void socket.end('small');
    const chunk = Buffer.alloc(64 * 1024);
    while (sent < size && !socket.destroyed) {
      sent += chunk.length;
      if (!socket.write(chunk)) await once(socket, 'drain');
    }
    socket.end();
  });
  const slow = call(port);
  slow.write('large');
  slow.pause();
  const readSent = async () => {
    const before = sent;
    await sleep(500);
    return before > 0 && sent === before;
  };
  await expect.poll(readSent, { timeout: 20_000 }).toBe(true);
  // What is on its way is bounded by the windows and the kernel's buffers.
  expect(sent).toBeLessThan(size / 2);
  for (let at = 0; at < 10; at++) {
    const other = call(port);
    other.end('small');
    expect(await readText(other)).toBe('small');
  }
  let received = 0;
  slow.on('data', (chunk) => {
    received += chunk.length;
  });
  slow.resume().end();
  await once(slow, 'end');
  expect(received).toBe(size);
});

test('a connection that the server breaks off does not look like one that has ended', async () => {
  const { port } = await serve((socket) => {
    socket.write('the first half');
    socket.once('data', () => socket.resetAndDestroy());
  });
  const client = call(port);
  const failed = once(client, 'end').then(
    () => 'ended',
    (error) => error.code,
  );
  await once(client, 'data');
  client.write('break it off');
  client.resume();
  expect(await failed).toBe('ECONNRESET');
});

test('a client that breaks its connection off does not look like one that has ended', async () => {
  const failed: unknown[] = [];
  const { port } = await serve((socket) => {
    socket.write('hello\n');
    socket.on('end', () => failed.push('ended'));
    socket.on('error', (error) => failed.push((error as NodeJS.ErrnoException).code));
    socket.resume();
  });
  const client = call(port);
  client.write('the first half');
  await once(client, 'data');
  client.resetAndDestroy();
  await vi.waitFor(() => expect(failed).toEqual(['ECONNRESET']), { timeout: 5_000 });
});

test('a lost tunnel breaks connections off, and says nothing in a protocol that it does not know', async () => {
  const { port, stop } = await serve((socket) => socket.write('hello\n'));
  const open = call(port);
  await once(open, 'data');
  open.write('a question');
  const failed = once(open, 'end').then(
    () => 'ended',
    (error) => error.code,
  );
  stop.abort(new Error('killed'));
  expect(await failed).toBe('ECONNRESET');
  const late = call(port);
  late.write('hello\n');
  const received: Buffer[] = [];
  late.on('data', (chunk) => received.push(chunk));
  await once(late, 'close').catch(() => {});
  expect(received).toEqual([]);
});

test('while nothing listens, a connection is closed', async () => {
  const server = createServer();
  const { port } = await interceptServer(server);
  await new Promise((resolve) => server.close(resolve));
  const client = call(port);
  client.write('hello\n');
  expect(await readText(client)).toBe('');
});

test('a request of HTTP whose client has ended its side gets its response', async () => {
  const { port } = await serve(async (socket) => {
    const sent = await readText(socket);
    const body = `${sent.split('\r\n', 1)}, and the client has ended`;
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  });
  const client = call(port);
  client.end('GET /late HTTP/1.1\r\nHost: board-service\r\n\r\n');
  expect(await readText(client)).toMatch(
    /^HTTP\/1\.1 200 OK[\s\S]*GET \/late HTTP\/1\.1, and the client has ended$/,
  );
});

test('HTTP/2 without TLS, as of gRPC, with requests at once and a trailer', async () => {
  const server = createHttp2Server();
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  onTestFinished(() => {
    for (const each of sessions) each.destroy();
  });
  server.on('stream', async (stream, headers) => {
    const body = await buffer(stream);
    stream.respond({ ':status': 200, 'x-path': headers[':path'] }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(hashOf(body));
  });
  const { origin } = await interceptServer(server);
  const session: ClientHttp2Session = connectHttp2(origin);
  onTestFinished(() => session.destroy());
  const replies = await Promise.all(
    Array.from({ length: 20 }, async (_, at) => {
      const content = randomBytes(10_000 * (at + 1));
      const stream = session.request({ ':method': 'POST', ':path': `/${at}` });
      let trailers: object = {};
      stream.on('trailers', (received) => {
        trailers = received;
      });
      stream.end(content);
      return { isWhole: (await text(stream)) === hashOf(content), trailers };
    }),
  );
  expect(replies).toEqual(
    replies.map(() => ({ isWhole: true, trailers: expect.objectContaining({ 'grpc-status': '0' }) })),
  );
});
