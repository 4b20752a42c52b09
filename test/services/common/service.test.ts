import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { HttpError } from '../../../services/common/http-error.ts';
import { readJson } from '../../../services/common/request-body.ts';
import { json } from '../../../services/common/route.ts';
import { defineService } from '../../../services/common/service.ts';
import { fakeDependency } from '../../fakes/dependency.ts';
import { fetchJson, startTested } from '../start.ts';

function sample(store = fakeDependency('postgres')) {
  return defineService({
    name: 'sample-service',
    connect: () => ({ store }),
    routes: () => [
      { method: 'POST', path: '/echo', handle: async (request) => json(await readJson(request), 201) },
      {
        method: 'GET',
        path: '/slow/:ms',
        async handle({ params }) {
          await sleep(Number(params.ms));
          return json({ waited: params.ms });
        },
      },
      {
        method: 'GET',
        path: '/bug',
        handle() {
          throw new TypeError('secret detail');
        },
      },
      {
        method: 'GET',
        path: '/outage',
        handle() {
          throw new HttpError(503, 'postgres is unavailable: connection refused');
        },
      },
    ],
  });
}

test('is live immediately, and delays the readiness reply until its stores are up', async () => {
  const store = fakeDependency('postgres', 'down');
  const { url } = await startTested(sample(store), { readinessTimeout: 20_000 });
  expect(await fetchJson(`${url}/health/live`)).toEqual({ status: 200, body: { live: true } });

  let answered = false;
  const ready = fetchJson(`${url}/health/ready`).finally(() => {
    answered = true;
  });
  await sleep(100);
  expect(answered).toBe(false);
  store.state = 'up';
  expect(await ready).toEqual({ status: 200, body: { ready: true, waitingFor: [] } });
});

test('delays the readiness reply up to the timeout, then reports what it is waiting for', async () => {
  const { url } = await startTested(sample(fakeDependency('postgres', 'down')), { readinessTimeout: 50 });
  expect(await fetchJson(`${url}/health/ready`)).toEqual({
    status: 503,
    body: { ready: false, waitingFor: [{ name: 'postgres', error: 'postgres refused' }] },
  });
});

test('reports an outage immediately after startup', async () => {
  const store = fakeDependency('postgres');
  const { url } = await startTested(sample(store), { readinessTimeout: 20_000 });
  await fetchJson(`${url}/health/ready`);
  store.state = 'down';
  await expect.poll(async () => (await fetchJson(`${url}/health/ready`)).status).toBe(503);
  store.state = 'up';
  await expect.poll(async () => (await fetchJson(`${url}/health/ready`)).status).toBe(200);
});

test('describes itself', async () => {
  const { url } = await startTested(sample());
  await fetchJson(`${url}/health/ready`);
  const { body } = await fetchJson(`${url}/`);
  expect(body).toMatchObject({
    name: 'sample-service',
    version: 'development',
    sourceHash: 'unbundled',
    ready: true,
    dependencies: [{ name: 'postgres', kind: 'store', state: 'up', latency: expect.any(Number) }],
    routes: ['POST /echo', 'GET /slow/:ms', 'GET /bug', 'GET /outage'],
  });
});

test.each([
  ['an object', '{"a":1}', 201, { a: 1 }],
  ['no JSON', '{"a":', 400, { error: 'the body is not JSON' }],
  ['an array', '[1]', 400, { error: 'the body is not a JSON object' }],
  ['too much', `{"a":"${'x'.repeat(65_536)}"}`, 413, { error: 'the body is larger than 65536 bytes' }],
])('reads a body that is %s', async (_name, body, status, answer) => {
  const { url } = await startTested(sample());
  expect(await fetchJson(`${url}/echo`, { method: 'POST', body })).toEqual({ status, body: answer });
});

test('rejects a body without a content-length that is too large', async () => {
  const { url } = await startTested(sample());
  const body = new ReadableStream({
    pull(controller) {
      controller.enqueue(Buffer.alloc(16_384, 'x'));
    },
  });
  const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
  // The connection may be closed while the body is being sent. Either way the request ends and the service continues.
  const status = await fetchJson(`${url}/echo`, init).then(
    (reply) => reply.status,
    () => 413,
  );
  expect(status).toBe(413);
  expect((await fetchJson(`${url}/health/live`)).status).toBe(200);
});

test('an unexpected error is a 500 without details for the client and with the stack in the log', async () => {
  const { url, log } = await startTested(sample());
  expect(await fetchJson(`${url}/bug`)).toEqual({ status: 500, body: { error: 'internal error' } });
  expect(log).toContainEqual(
    expect.objectContaining({
      level: 'error',
      message: 'bug',
      stack: expect.stringContaining('secret detail'),
    }),
  );
});

test('metrics are by route and not by path', async () => {
  const { url } = await startTested(sample());
  for (const path of ['/slow/1', '/slow/2', '/outage', '/no/such/path', '/no/other'])
    await fetchJson(url + path);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('http_requests_total{method="GET",route="/slow/:ms",status="200"} 2\n');
  expect(metrics).toContain('http_requests_total{method="GET",route="/outage",status="503"} 1\n');
  expect(metrics).toContain('http_requests_total{method="any",route="unmatched",status="404"} 2\n');
  expect(metrics).toContain('http_request_duration_seconds_count{route="/slow/:ms"} 2\n');
  expect(metrics).toMatch(/^dependency_up\{dependency="postgres"\} [01]$/m);
  expect(metrics).toMatch(/^process_resident_memory_bytes \d{7,}$/m);
});

test('logs requests, but no successful probes', async () => {
  const { url, log } = await startTested(sample());
  await fetchJson(`${url}/health/live`);
  await fetchJson(`${url}/slow/1?token=secret`);
  await expect
    .poll(() => log.filter(({ message }) => message === 'request'))
    .toEqual([
      expect.objectContaining({ service: 'sample-service', method: 'GET', path: '/slow/1', status: 200 }),
    ]);
});

test('HEAD has the headers of GET and no body', async () => {
  const { url } = await startTested(sample());
  const response = await fetch(`${url}/slow/1`, { method: 'HEAD' });
  expect(response.headers.get('content-length')).toBe('15');
  expect(await response.text()).toBe('');
});

test('allows pages of configured origins', async () => {
  const { url } = await startTested(sample(), { env: { CORS_ORIGINS: 'http://a, http://b' } });
  const originFor = async (origin: string) =>
    (await fetch(`${url}/slow/1`, { headers: { origin } })).headers.get('access-control-allow-origin');
  expect(await originFor('http://b')).toBe('http://b');
  expect(await originFor('http://c')).toBeNull();
  const preflight = await fetch(`${url}/echo`, { method: 'OPTIONS', headers: { origin: 'http://a' } });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
});

test('finishes running requests, accepts no new ones, and closes its dependencies', async () => {
  const store = fakeDependency('postgres');
  const { url, stop } = await startTested(sample(store));
  const running = fetch(`${url}/slow/300`);
  await sleep(100);
  const stopped = stop();
  await expect(fetch(`${url}/health/live`)).rejects.toThrow();
  const response = await running;
  expect(await response.json()).toEqual({ waited: '300' });
  expect(response.headers.get('connection')).toBe('close');
  await stopped;
  expect(store.closed).toBe(true);
});

test('closes connections with requests that do not end', async () => {
  const { url, stop, log } = await startTested(sample(), { drainTimeout: 50 });
  const running = fetch(`${url}/slow/60000`);
  running.catch(() => {});
  await sleep(50);
  await stop();
  await expect(running).rejects.toThrow();
  expect(log.map(({ message }) => message)).toContain(
    'closing connections with requests that still run after 50 ms',
  );
});

test('a delayed readiness reply does not delay the shutdown', async () => {
  const { url, stop } = await startTested(sample(fakeDependency('postgres', 'down')), {
    readinessTimeout: 60_000,
  });
  const ready = fetchJson(`${url}/health/ready`);
  await sleep(50);
  await stop();
  expect(await ready).toMatchObject({ status: 503, body: { ready: false, stopping: true } });
});

test('invalid bytes affect only their own connection', async () => {
  const { url, port } = await startTested(sample());
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.end('GET http://%%% HTTP/1.1\r\nhost: x\r\n\r\n\0\0\0');
  await new Promise((resolve) => socket.on('close', resolve).resume());
  expect((await fetchJson(`${url}/health/live`)).status).toBe(200);
});

test('fails to start with all problems of its configuration', async () => {
  const needy = defineService({
    name: 'needy-service',
    connect(settings) {
      settings.text('DATABASE_URL');
      return {};
    },
    routes({ settings }) {
      settings.text('JWT_SECRET', { minBytes: 64 });
      return [];
    },
  });
  await expect(startTested(needy, { env: { JWT_SECRET: 'short' } })).rejects.toThrow(
    'configuration: DATABASE_URL is not set; JWT_SECRET is 5 bytes long, minimum is 64',
  );
});

test('fails to start on a port in use, and closes its dependencies', async () => {
  const { port } = await startTested(sample());
  const store = fakeDependency('postgres');
  await expect(startTested(sample(store), { port })).rejects.toThrow('EADDRINUSE');
  expect(store.closed).toBe(true);
});
