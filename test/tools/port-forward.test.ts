import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { createApiServer } from '../../src/tools/api-server.ts';
import { dialPod } from '../../src/tools/port-forward.ts';

/** An API server that accepts every connection to a port, and says whether it lives. */
async function dial({ autoPong }: { autoPong: boolean }) {
  const server = createServer();
  const sockets = new WebSocketServer({ server, autoPong });
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

test('a tunnel whose other end is silent is given up', async () => {
  const stream = await dial({ autoPong: false });
  await once(stream, 'end');
});

test('one that is only idle stays', async () => {
  const stream = await dial({ autoPong: true });
  await sleep(200);
  expect(stream.readableEnded).toBe(false);
});
