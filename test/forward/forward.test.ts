import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { makePod, ready } from '../fakes/cluster-objects.ts';
import { labels, readyPod, startForward } from '../fakes/forwarded-service.ts';

test('forwards to the newest ready pod', async () => {
  const { addPod, ask, fake } = await startForward();
  await addPod('old', '2026-01-01T00:00:00Z');
  await vi.waitFor(async () => expect(await ask()).toBe('old'));
  fake.setPod(makePod('starting', 'auth', { labels, created: '2026-01-03T00:00:00Z' }));
  await addPod('new', '2026-01-02T00:00:00Z');
  await vi.waitFor(async () => expect(await ask()).toBe('new'));
});

test('connections wait until a pod is ready', async () => {
  const { addPod, ask, notified } = await startForward();
  const answers = Promise.all([ask(), ask(), ask()]);
  await vi.waitFor(() => expect(notified).toEqual([true]));
  await addPod('first', '2026-01-01T00:00:00Z');
  expect(await answers).toEqual(['first', 'first', 'first']);
  await vi.waitFor(() => expect(notified).toEqual([true, false]));
});

test('no request is lost when a pod is replaced', async () => {
  const { addPod, ask, fake } = await startForward();
  await addPod('old', '2026-01-01T00:00:00Z');
  const answers: Promise<string>[] = [];
  for (let round = 0; round < 40; round++) {
    answers.push(ask());
    await sleep(5);
    if (round === 10) fake.setPod(makePod('new', 'auth', { labels, created: '2026-01-02T00:00:00Z' }));
    if (round === 20) {
      // The old pod terminates before the new one is ready.
      fake.setPod(makePod('old', 'auth', { labels, conditions: ready, deleted: '2026-01-02T00:00:00Z' }));
    }
    if (round === 30) await addPod('new', '2026-01-02T00:00:00Z');
  }
  const given = await Promise.all(answers);
  expect(new Set(given)).toEqual(new Set(['old', 'new']));
});

test('an undelivered request goes to the next pod', async () => {
  const { addPod, ask, fake } = await startForward();
  // The pod is ready, but no process listens in it.
  fake.setPod(readyPod('dying', '2026-01-01T00:00:00Z'));
  const answer = ask();
  await sleep(100);
  await addPod('living', '2026-01-02T00:00:00Z');
  expect(await answer).toBe('living');
});

test('after the timeout: 503 with the reason', async () => {
  const { port, notified } = await startForward({ timeout: 200 });
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await answer.text()).toBe('auth-service is not ready: timeout\n');
  expect(notified).toEqual([true]);
  const upgrade = new WebSocket(`ws://127.0.0.1:${port}/`);
  const [, response] = await once(upgrade, 'unexpected-response');
  expect(response.statusCode).toBe(503);
  expect(await text(response)).toBe('auth-service is not ready: timeout\n');
});

test('above the limit of waiting requests: 503 immediately', async () => {
  const { port, ask, addPod } = await startForward({ maxWaiting: 2 });
  const waiting = [ask(), ask()];
  await sleep(100);
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect([answer.status, await answer.text()]).toEqual([503, 'auth-service is not ready: full\n']);
  await addPod('first', '2026-01-01T00:00:00Z');
  expect(await Promise.all(waiting)).toEqual(['first', 'first']);
});

test('a client of a protocol that is not known is forwarded, and closed without a byte when no pod is ready', async () => {
  const { port, addPod } = await startForward({ timeout: 100, protocol: 'tcp' });
  const early = connect(port, '127.0.0.1');
  early.write('hello');
  expect(await text(early)).toBe('');
  await addPod('first', '2026-01-01T00:00:00Z');
  const asking = connect(port, '127.0.0.1');
  asking.write('GET / HTTP/1.0\r\n\r\n');
  expect(await text(asking)).toContain('first');
});

test('PostgreSQL and Redis clients get an error of their protocol', async () => {
  const redis = await startForward({ timeout: 100, protocol: 'redis' });
  const asking = connect(redis.port, '127.0.0.1');
  asking.write('PING\r\n');
  expect(await text(asking)).toBe('-ERR auth-service is not ready: timeout\r\n');

  const postgres = await startForward({ timeout: 100, protocol: 'postgres' });
  const config = { host: '127.0.0.1', port: postgres.port, user: 'postgres', database: 'postgres' };
  for (const ssl of [false, { rejectUnauthorized: false }]) {
    const client = new pg.Client({ ...config, ssl });
    const refused = await client.connect().catch((error) => error);
    expect(refused.message).toMatch(ssl ? /does not support SSL/ : /^auth-service is not ready: timeout$/);
  }
});

test('continues after an outage of the API server', async () => {
  const { addPod, ask, fake } = await startForward();
  await addPod('old', '2026-01-01T00:00:00Z');
  await vi.waitFor(async () => expect(await ask()).toBe('old'));
  fake.setDown(true);
  const answer = ask();
  await sleep(100);
  fake.setDown(false);
  expect(await answer).toBe('old');
});
