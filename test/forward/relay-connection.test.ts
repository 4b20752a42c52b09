import { once } from 'node:events';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { makePod, ready } from '../fakes/cluster-objects.ts';
import { labels, listenOn, readyPod, startForward } from '../fakes/forwarded-service.ts';

test('a terminating pod responds to the request that it has received', async () => {
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

test('delivered data is not sent again', async () => {
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

test('large streams in both directions are complete and in order', async () => {
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

test('a client that has ended its side still gets the response', async () => {
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
