import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { requestStatus } from '../../src/tools/http-status.ts';

/** A web server that responds with 200 to this host only. */
async function serve(host: string): Promise<number> {
  const server = createServer((request, response) => {
    const isHost = request.headers.host?.split(':')[0] === host;
    response.writeHead(isHost && request.url === '/-/ready?x=1' ? 200 : 404).end('body');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const { signal } = new AbortController();

test('a name below localhost is asked of this machine under that name', async () => {
  const port = await serve('prometheus.localhost');
  expect(await requestStatus(`http://prometheus.localhost:${port}/-/ready?x=1`, { signal })).toBe(200);
  expect(await requestStatus(`http://localhost:${port}/-/ready?x=1`, { signal })).toBe(404);
});

test('the reason, where no server responds', async () => {
  await expect(requestStatus('http://x.localhost:1/', { signal })).rejects.toThrow('ECONNREFUSED');
  await expect(requestStatus('http://localhost:1/', { signal: AbortSignal.abort() })).rejects.toThrow();
});
