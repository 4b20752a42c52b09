import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { identity } from '../../services/common/identity.ts';
import { rowRoutes } from '../../services/common/rows.ts';
import { defineService } from '../../services/common/service.ts';
import { signToken } from '../../services/common/tokens.ts';
import { internalKey } from '../../services/noti-service/internal-key.ts';
import { streamRoute } from '../../services/noti-service/stream-route.ts';
import { fakeRedis } from '../fakes/redis.ts';
import { fakeRows } from '../fakes/rows.ts';
import { fetchJson, startTested } from './start.ts';

const secret = 's'.repeat(64);
const env = { JWT_SECRET: secret, INTERNAL_API_KEY: 'internal' };

const noti = () =>
  defineService({
    name: 'noti-service',
    connect: () => ({ redis: fakeRedis() }),
    routes({ dependencies: { redis }, settings, stopping }) {
      const identify = identity(settings);
      const kept = {
        rows: fakeRows(),
        identify,
        onAdded: (row: object) => redis.publish('all', JSON.stringify(row)),
      };
      return [
        ...rowRoutes({ path: '/api/notifications', ...kept }),
        ...rowRoutes({ path: '/api/internal/notifications', ...kept }).map(internalKey(settings)),
        streamRoute({ path: '/api/notifications/stream', channel: 'all', redis, identify, stopping }),
      ];
    },
  });

const post = (url: string, fields: object, headers: Record<string, string> = {}) =>
  fetchJson(url, { method: 'POST', body: JSON.stringify(fields), headers });

test('stores, lists and returns rows', async () => {
  const { url } = await startTested(noti(), { env });
  const path = `${url}/api/notifications`;
  const row = { id: 1, parent: 3, text: 'hello', author: null, createdAt: expect.any(String) };
  expect(await post(path, { text: 'hello', parent: 3 })).toEqual({ status: 201, body: row });
  await post(path, { text: 'other', parent: 4 });
  expect((await fetchJson(`${path}?parent=3`)).body).toEqual({ rows: [row] });
  expect((await fetchJson(`${path}/1`)).body).toEqual(row);
  for (const [fields, status] of [
    [{}, 400],
    [{ text: ' ' }, 400],
    [{ text: 'x'.repeat(1_001) }, 400],
    [{ text: 'x', parent: 'y' }, 404],
  ] as const) {
    expect((await post(path, fields)).status).toBe(status);
  }
  expect((await fetchJson(`${path}/3`)).status).toBe(404);
});

test('the author is taken from the token; an invalid token is rejected, not ignored', async () => {
  const { url } = await startTested(noti(), { env });
  const now = Math.floor(Date.now() / 1000);
  const sign = (claims: object) => signToken({ sub: 'ada', iat: now, exp: now + 60, ...claims }, secret);
  const postAs = (token: string) =>
    post(`${url}/api/notifications`, { text: 'x' }, { authorization: `Bearer ${token}` });
  expect(await postAs(sign({}))).toMatchObject({ status: 201, body: { author: 'ada' } });
  expect(await postAs(sign({ exp: now - 1 }))).toEqual({ status: 401, body: { error: 'token: expired' } });
  expect((await postAs(sign({ use: 'refresh' }))).status).toBe(401);
});

test('the internal routes require the key', async () => {
  const { url } = await startTested(noti(), { env });
  const path = `${url}/api/internal/notifications`;
  expect((await post(path, { text: 'x' })).status).toBe(401);
  expect((await post(path, { text: 'x' }, { 'x-internal-api-key': 'other' })).status).toBe(401);
  expect((await fetchJson(path)).status).toBe(401);
  expect((await post(path, { text: 'x' }, { 'x-internal-api-key': 'internal' })).status).toBe(201);
});

test('streams each new notification until shutdown', async () => {
  const { url, stop } = await startTested(noti(), { env });
  const response = await fetch(`${url}/api/notifications/stream`);
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  let heard = '';
  const reading = (async () => {
    for await (const chunk of response.body ?? []) heard += Buffer.from(chunk).toString();
  })();
  await post(`${url}/api/notifications`, { text: 'news' });
  await expect
    .poll(() => heard)
    .toMatch(/^retry: 1000\n\nevent: notification\ndata: \{"id":1,.*"text":"news".*\}\n\n$/);
  await stop();
  await reading;
});

test('a client that disconnects is unsubscribed', async () => {
  const { url, log } = await startTested(noti(), { env });
  const leaving = new AbortController();
  await fetch(`${url}/api/notifications/stream`, { signal: leaving.signal });
  leaving.abort();
  await sleep(20);
  expect((await post(`${url}/api/notifications`, { text: 'to nobody' })).status).toBe(201);
  expect(log.filter(({ level }) => level === 'error')).toEqual([]);
});
