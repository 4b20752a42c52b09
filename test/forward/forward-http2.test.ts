import { createServer } from 'node:http';
import { connect, createServer as createHttp2Server, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { makePod, ready } from '../fakes/cluster-objects.ts';
import { labels, listenOn, readyPod, startForward } from '../fakes/forwarded-service.ts';

/** A program that speaks HTTP/2 without TLS, as a gRPC server does, and responds after `delay`. */
async function startHttp2Program(name: string, { delay = 0 } = {}): Promise<number> {
  const server = createHttp2Server();
  server.on('stream', async (stream) => {
    const body = await text(stream);
    setTimeout(() => {
      stream.respond({ ':status': 200 });
      stream.end(`${name} ${body}`);
    }, delay);
  });
  return listenOn(server as unknown as ReturnType<typeof createServer>);
}

/** Sends requests over one connection. */
function openClient(port: number) {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  return async (body: string, headers: IncomingHttpHeaders = {}) => {
    const stream = session.request({ ':method': 'POST', ':path': '/', ...headers });
    stream.end(body);
    const head = await new Promise<IncomingHttpHeaders>((resolve, reject) => {
      stream.on('response', resolve).on('error', reject);
    });
    return { head, body: await text(stream) };
  };
}

test('HTTP/2 without TLS is answered, beside HTTP/1 on the same port', async () => {
  const { fake, port, addPod, ask } = await startForward();
  fake.ports.set('auth', await startHttp2Program('grpc'));
  fake.setPod(readyPod('auth', '2026-01-01T00:00:00Z'));
  const send = openClient(port);
  const answers = await Promise.all(['1', '2', '3'].map((body) => send(body)));
  expect(answers.map(({ body }) => body)).toEqual(['grpc 1', 'grpc 2', 'grpc 3']);
  await addPod('http1', '2026-01-02T00:00:00Z');
  await expect.poll(() => ask()).toBe('http1');
});

test('a first line that arrives in parts is recognised, and one that only resembles it is HTTP/1', async () => {
  const { port, fake } = await startForward();
  fake.ports.set('auth', await listenOn(createServer((request, response) => response.end(request.method))));
  fake.setPod(readyPod('auth', '2026-01-01T00:00:00Z'));
  const socket = connectTcp(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  for (const part of ['PR', 'OPFIND / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n']) {
    socket.write(part);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*PROPFIND/);
});

test('it waits for the pod like any other request', async () => {
  const { fake, port } = await startForward();
  const answer = openClient(port)('held');
  fake.ports.set('auth', await startHttp2Program('late'));
  fake.setPod(readyPod('auth', '2026-01-01T00:00:00Z'));
  expect((await answer).body).toBe('late held');
});

test('a pod that terminates finishes the response that it has begun', async () => {
  const { fake, port } = await startForward();
  fake.ports.set('auth', await startHttp2Program('old', { delay: 400 }));
  fake.setPod(readyPod('auth', '2026-01-01T00:00:00Z'));
  const answer = openClient(port)('slow');
  await new Promise((resolve) => setTimeout(resolve, 100));
  fake.setPod(makePod('auth', 'auth', { labels, conditions: ready, deleted: '2026-01-02T00:00:00Z' }));
  expect((await answer).body).toBe('old slow');
});

test('without a pod in time, the reason is sent in the protocol of the client', async () => {
  const { port } = await startForward({ timeout: 50 });
  const plain = await openClient(port)('x');
  expect(plain.head[':status']).toBe(503);
  expect(plain.body).toBe('auth-service is not ready: timeout\n');
  const { head } = await openClient(port)('x', { 'content-type': 'application/grpc+proto' });
  expect(head).toMatchObject({ ':status': 200, 'grpc-status': '14' });
  expect(decodeURIComponent(String(head['grpc-message']))).toBe('auth-service is not ready: timeout');
});
