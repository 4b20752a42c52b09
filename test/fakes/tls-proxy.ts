import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { exec } from '../../src/tools/exec.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

export interface TlsProxy {
  /** `http://127.0.0.1:<port>` */
  readonly proxy: string;
  /** `https://localhost:<port>`, the server itself. */
  readonly server: string;
  /** File of the certificate of the server, which no CA of Node's signs. */
  readonly certificate: string;
  /** What the proxy was asked for, in order: host and port, and who asked. */
  readonly asked: { readonly target: string | undefined; readonly login: string | undefined }[];
}

/** How the server behind the proxy responds to a request for `https://<host><path>`: with content, or where else to ask. */
export type Respond = (url: string) => string | { readonly location: string };

/**
 * A proxy that opens tunnels, and behind it one HTTPS server that stands for every host of these names. The proxy refuses all
 * tunnels with `status` where it is given.
 */
export async function startTlsProxy(
  hosts: readonly string[],
  respond: Respond,
  { status }: { readonly status?: number } = {},
): Promise<TlsProxy> {
  const folder = await makeTemporaryFolder();
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const names = [...hosts, 'localhost'].map((host) => `DNS:${host}`).join(',');
  const files = ['-keyout', key, '-out', certificate, '-days', '1', '-subj', '/CN=test'];
  const kind = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-addext',
    `subjectAltName=${names}`,
  ];
  await exec('openssl', ['req', '-x509', '-nodes', ...files, ...kind]);
  const tls = { key: await readFile(key), cert: await readFile(certificate) };
  const server = createTlsServer(tls, ({ headers, url }, response) => {
    const answer = respond(`https://${headers.host}${url}`);
    if (typeof answer === 'string') response.end(answer);
    else response.writeHead(302, answer).end();
  });
  const serverPort = await listen(server);

  const asked: TlsProxy['asked'] = [];
  const proxy = createServer((_, response) => response.writeHead(405).end());
  proxy.on('connect', ({ url, headers }: IncomingMessage, client) => {
    asked.push({ target: url, login: headers['proxy-authorization'] });
    client.on('error', () => {});
    if (status !== undefined) {
      client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      return;
    }
    const tunnel = connect(serverPort, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      tunnel.pipe(client).pipe(tunnel);
    });
    tunnel.on('error', () => client.destroy());
  });
  const proxyPort = await listen(proxy);
  return {
    proxy: `http://127.0.0.1:${proxyPort}`,
    server: `https://localhost:${serverPort}`,
    certificate,
    asked,
  };
}

async function listen(server: Server & { closeAllConnections(): void }): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
