import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { createApiServer } from '../../../src/tools/kubernetes/api-server.ts';
import { dialPod } from '../../../src/tools/kubernetes/port-forward.ts';

/** An API server that accepts every connection to a port, and gives so many signs of life. */
async function dial(signs: number) {
  const server = createServer();
  const sockets = new WebSocketServer({ server, autoPong: false });
  let given = 0;
  sockets.on('connection', (socket) => {
    socket.on('ping', () => given++ < signs && socket.pong());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    sockets.close();
    server.closeAllConnections();
    server.close();
  });
  const api = createApiServer({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const place = { namespace: 'n', pod: 'p', port: 80, beat: 20 };
  const stream = await dialPod(api, place, new AbortController().signal);
  onTestFinished(() => void stream.destroy());
  stream.resume();
  return stream;
}

test('a tunnel whose other end has fallen silent is given up', async () => {
  const stream = await dial(2);
  await once(stream, 'end');
});

test.each([
  ['is only idle', Number.POSITIVE_INFINITY],
  ['never says that it lives', 0],
])('one that %s stays', async (_, signs) => {
  const stream = await dial(signs);
  await sleep(200);
  expect(stream.readableEnded).toBe(false);
});
