import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  ApiFailure,
  type ApiServerOptions,
  createApiServer,
} from '../../../src/tools/kubernetes/api-server.ts';

async function start(answer: RequestListener, options?: ApiServerOptions) {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return createApiServer({ server: `http://127.0.0.1:${port}` }, options);
}

const { signal } = new AbortController();

test('a response, parsed', async () => {
  const api = await start((request, response) => response.end(JSON.stringify({ path: request.url })));
  expect(await api.get('/version?x=1', signal)).toEqual({ path: '/version?x=1' });
});

test('a rejected request has the message of Kubernetes', async () => {
  const api = await start((_, response) => {
    response.writeHead(403).end(JSON.stringify({ kind: 'Status', message: 'pods is forbidden' }));
  });
  await expect(api.get('/api', signal)).rejects.toMatchObject({
    ...{ message: 'pods is forbidden', status: 403, exitCode: 9, hint: expect.stringContaining('can-i') },
  });
});

test('an error of another server on the way', async () => {
  const api = await start((_, response) => response.writeHead(502).end('<html>'));
  await expect(api.get('/api', signal)).rejects.toMatchObject({
    message: 'the cluster responded with status 502',
    status: 502,
  });
});

test('no server', async () => {
  const api = createApiServer({ server: 'http://127.0.0.1:1' });
  await expect(api.get('/api', signal)).rejects.toMatchObject({
    message: 'the cluster does not respond',
    cause: expect.stringContaining('ECONNREFUSED'),
  });
});

test('a response that stops in the middle, as when its node is paused', async () => {
  const api = await start((_, response) => void response.writeHead(200).write('{"items":['), { timeout: 50 });
  await expect(api.get('/api/v1/pods', signal)).rejects.toMatchObject({
    message: 'the cluster does not respond',
    cause: 'no data for 0.05 s',
  });
});

test('an aborted request ends with the reason', async () => {
  const api = await start(() => {});
  const stop = new AbortController();
  const asked = api.get('/api', stop.signal);
  setTimeout(() => stop.abort(new Error('interrupted')), 20);
  await expect(asked).rejects.toThrow('interrupted');
});

test('of a list, the metadata alone', async () => {
  const api = await start((request, response) =>
    response.end(JSON.stringify({ items: [{ metadata: { name: request.headers.accept } }] })),
  );
  expect(await api.getMetadata('/api/v1/secrets', signal)).toEqual([
    { metadata: { name: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' } },
  ]);
  const empty = await start((_, response) => response.end('{"metadata":{},"items":null}'));
  expect(await empty.getMetadata('/api/v1/secrets', signal)).toEqual([]);
});

test.each([
  [{ cause: 'connect ECONNREFUSED 127.0.0.1:6443' }, true],
  [{ cause: 'Client network socket disconnected before secure TLS connection was established' }, true],
  [{ cause: 'read ECONNRESET' }, true],
  [{ cause: 'aborted' }, true],
  [{ status: 503 }, true],
  [{ cause: 'getaddrinfo ENOTFOUND dev.example' }, false],
  [{ cause: 'certificate has expired' }, false],
  [{ cause: 'no response in 10 s' }, false],
  [{ status: 403 }, false],
  [{ status: 403, cause: 'pods is forbidden: User "developer" cannot list resource "pods"' }, false],
  [{ status: 403, cause: 'pods is forbidden: User "kubernetes-admin" cannot list resource "pods"' }, true],
  [{ status: 422 }, false],
])('%j is a restart of the server: %s', (failure, isRestarting) => {
  expect(new ApiFailure('the cluster does not respond', failure).isRestarting).toBe(isRestarting);
});
