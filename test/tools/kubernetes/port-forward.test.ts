import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { createApiServer } from '../../../src/tools/kubernetes/api-server.ts';
import { dialPod, NotConnected } from '../../../src/tools/kubernetes/port-forward.ts';

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
  const place = { namespace: 'n', pod: 'p', port: 80, pingInterval: 20 };
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

/** An API server that sends the node's refusal in the same packet as its acceptance of the WebSocket. */
async function startRefusing(): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.once('data', (request) => {
      const key = /sec-websocket-key: (\S+)/i.exec(String(request))?.[1];
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const head = `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\nsec-websocket-protocol: v4.channel.k8s.io\r\n\r\n`;
      const frames = [
        Buffer.from([0, 80, 0]),
        Buffer.from([1, 80, 0]),
        Buffer.concat([
          Buffer.from([1]),
          Buffer.from('failed to connect to localhost:80: connection refused'),
        ]),
      ].map((message) => Buffer.concat([Buffer.from([0x82, message.length]), message]));
      socket.write(Buffer.concat([Buffer.from(head), ...frames]));
    });
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a refusal that comes with the handshake rejects, and may be tried again', async () => {
  const api = createApiServer({ server: await startRefusing() });
  const dialed = dialPod(api, { namespace: 'n', pod: 'p', port: 80 }, new AbortController().signal);
  await expect(dialed).rejects.toBeInstanceOf(NotConnected);
});
