import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { messageRoutes } from '../../services/chat-service/message-routes.ts';
import { presenceRoute } from '../../services/chat-service/presence-route.ts';
import { identity } from '../../services/common/identity.ts';
import { defineService } from '../../services/common/service.ts';
import { signToken } from '../../services/common/tokens.ts';
import { fakeRedis } from '../fakes/redis.ts';
import { fakeRows } from '../fakes/rows.ts';
import { fetchJson, startTested } from './start.ts';

const secret = 's'.repeat(64);
const now = Math.floor(Date.now() / 1000);
const token = signToken({ sub: 'ada', iat: now, exp: now + 60 }, secret);

function chat() {
  return defineService({
    name: 'chat-service',
    connect: () => ({ redis: fakeRedis() }),
    routes({ dependencies: { redis }, settings, log, stopping }) {
      const shared = { redis, log, stopping, identify: identity(settings) };
      return [
        ...messageRoutes({ path: '/api/chats', messages: fakeRows(), ...shared }),
        presenceRoute({ path: '/api/chats/ws/presence', ...shared }),
      ];
    },
  });
}

const start = () => startTested(chat(), { env: { JWT_SECRET: secret } });

async function open(url: string) {
  const socket = new WebSocket(url.replace('http', 'ws'));
  const heard: unknown[] = [];
  socket.on('message', (data) => heard.push(JSON.parse(String(data))));
  await once(socket, 'open');
  return { socket, heard };
}

test('a message is sent to all clients of the chat, and stored', async () => {
  const { url } = await start();
  const [ada, guest, elsewhere] = await Promise.all([
    open(`${url}/api/chats/ws/7?token=${token}`),
    open(`${url}/api/chats/ws/7`),
    open(`${url}/api/chats/ws/8`),
  ]);
  ada.socket.send('{"text":"hello"}');
  const message = { id: 1, parent: 7, text: 'hello', author: 'ada', createdAt: expect.any(String) };
  for (const { heard } of [ada, guest]) {
    await expect
      .poll(() => heard)
      .toEqual([
        { type: 'joined', chat: 7 },
        { type: 'message', message },
      ]);
  }
  expect(elsewhere.heard).toEqual([{ type: 'joined', chat: 8 }]);
  expect((await fetchJson(`${url}/api/chats/7/messages`)).body).toEqual({ rows: [message] });
});

test('only the sender of an invalid message gets the error', async () => {
  const { url } = await start();
  const { socket, heard } = await open(`${url}/api/chats/ws/7`);
  for (const sent of ['garbage', '{}', '{"text":""}']) socket.send(sent);
  await expect
    .poll(() => heard.slice(1))
    .toEqual([
      { type: 'error', error: 'the body is not JSON' },
      { type: 'error', error: '"text" is not a string of 1 to 1000 characters' },
      { type: 'error', error: '"text" is not a string of 1 to 1000 characters' },
    ]);
});

test('presence reports who connects and disconnects', async () => {
  const { url } = await start();
  const { heard } = await open(`${url}/api/chats/ws/presence`);
  const { socket } = await open(`${url}/api/chats/ws/presence?token=${token}`);
  socket.close();
  await expect
    .poll(() => heard)
    .toEqual([
      { type: 'presence', user: 'anonymous', present: true },
      { type: 'presence', user: 'ada', present: true },
      { type: 'presence', user: 'ada', present: false },
    ]);
});

test.each([
  ['/api/chats/ws/7?token=bad', 401],
  ['/api/chats/ws/x', 404],
  ['/api/nothing', 404],
])('rejects the WebSocket %s with %i', async (path, status) => {
  const { url } = await start();
  const socket = new WebSocket(url.replace('http', 'ws') + path);
  const [, response] = await once(socket, 'unexpected-response');
  expect(response.statusCode).toBe(status);
});

test('an oversized message closes only its own socket', async () => {
  const { url } = await start();
  const [big, other] = await Promise.all([open(`${url}/api/chats/ws/7`), open(`${url}/api/chats/ws/7`)]);
  big.socket.send('x'.repeat(65 * 1024));
  expect((await once(big.socket, 'close'))[0]).toBe(1009);
  other.socket.send('{"text":"still here"}');
  await expect.poll(() => other.heard).toHaveLength(2);
});

test('closes open sockets on shutdown', async () => {
  const { url, stop } = await start();
  const { socket } = await open(`${url}/api/chats/ws/7`);
  const closed = once(socket, 'close');
  await sleep(10);
  await stop();
  expect((await closed)[0]).toBe(1001);
});
