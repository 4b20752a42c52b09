import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { findProxy } from '../../../src/tools/proxy.ts';
import { reach } from '../../../src/tools/registry/reach.ts';

async function serve(
  listener: RequestListener,
  prepare: (server: Server) => void = () => {},
): Promise<string> {
  const server = createServer(listener);
  prepare(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const options = { env: {}, timeout: 3_000, signal: new AbortController().signal };

test('any response counts, and has the time of the server', async () => {
  const date = new Date('2026-01-02T03:04:05Z');
  const host = await serve((_, response) => response.writeHead(404, { date: date.toUTCString() }).end());
  expect(await reach(`http://${host}/v2/`, options)).toEqual({ status: 404, date: date.getTime() });
});

test('no response in time', async () => {
  const host = await serve(() => {});
  await expect(reach(`http://${host}/`, { ...options, timeout: 50 })).rejects.toMatchObject({
    code: 'ETIMEDOUT',
  });
});

test('no server', async () => {
  const host = await serve(() => {});
  const port = Number(host.split(':')[1]);
  const unused = port === 65_535 ? port - 1 : port + 1;
  await expect(reach(`http://127.0.0.1:${unused}/`, options)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('through a proxy the whole address is asked for', async () => {
  let asked: unknown[] = [];
  const proxy = await serve((request, response) => {
    asked = [request.url, request.headers.host, request.headers['proxy-authorization']];
    response.end();
  });
  const env = { HTTP_PROXY: `http://ada:p%40ss@${proxy}` };
  expect(await reach('http://deb.example/debian/', { ...options, env })).toMatchObject({ status: 200 });
  expect(asked).toEqual(['http://deb.example/debian/', 'deb.example', `Basic ${btoa('ada:p@ss')}`]);
});

test('an https address uses a tunnel; a rejected tunnel is reported', async () => {
  let asked: string | undefined;
  const proxy = await serve(
    () => {},
    (server) =>
      server.on('connect', (request, socket) => {
        asked = request.url;
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      }),
  );
  const env = { https_proxy: proxy };
  await expect(reach('https://registry.example/x', { ...options, env })).rejects.toThrow('status 407');
  expect(asked).toBe('registry.example:443');
});

test('Ctrl-C ends it with its own reason', async () => {
  const run = new AbortController();
  const host = await serve(() => run.abort(new Error('stop')));
  await expect(reach(`http://${host}/`, { ...options, signal: run.signal })).rejects.toThrow('stop');
});

test.each([
  ['https://a.example/', { https_proxy: 'http://p:1' }, 'p:1'],
  ['https://a.example/', { HTTPS_PROXY: 'p:1' }, 'p:1'],
  ['http://a.example/', { https_proxy: 'http://p:1' }, undefined],
  ['https://a.example/', { https_proxy: 'http://p:1', no_proxy: 'b.example, .example' }, undefined],
  ['https://a.example/', { https_proxy: 'http://p:1', NO_PROXY: 'le' }, 'p:1'],
  ['https://a.example/', { https_proxy: 'http://p:1', no_proxy: '*' }, undefined],
  ['https://a.example/', { https_proxy: 'http://' }, undefined],
])('the proxy for %s with %o', (url, env, host) => {
  expect(findProxy(new URL(url), env)?.host).toBe(host);
});
