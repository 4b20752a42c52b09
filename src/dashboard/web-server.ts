import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { type WebSocket, WebSocketServer } from 'ws';
import { exitCodes, Failure } from '../lib/failure.ts';
import type { PageFiles } from './bundle-page.ts';
import { findRefusal, toHeaders } from './web-rules.ts';

export interface WebServerOptions {
  /** The first port that is tried. */
  readonly port: number;
  /** How many ports are tried. */
  readonly tried: number;
  readonly files: Promise<PageFiles>;
  /** JSON for a request with the token; undefined for any other. */
  readonly readState: (authorization: string | undefined) => string | undefined;
  readonly onTab: (socket: WebSocket) => void;
}

export interface WebServer {
  readonly port: number;
  /** Closes all connections. */
  close(): void;
}

/** Bytes of a message that a tab may send. */
const maxMessage = 64 * 1024;
const socketPath = '/socket';
const statePath = '/state.json';

/**
 * Serves the page on 127.0.0.1, and hands over the WebSockets of its tabs. Every path without a file is a page of the
 * program, which reads the path itself.
 * @throws {Failure} exit code 4 when no port is free.
 */
export async function openWebServer(options: WebServerOptions): Promise<WebServer> {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessage, perMessageDeflate: false });
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 });
  const port = await listenOnFree(server, options);
  const headers = toHeaders(port);
  const zipped = new Map<string, Buffer>();

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    respond(request, response).catch((error: unknown) => {
      refuse(response, 500, error instanceof Error ? error.message : String(error));
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A tab that is closed meanwhile resets the connection.
    socket.on('error', () => socket.destroy());
    const refusal = findRefusal(request, port, { isUpgrade: true });
    const status = refusal ?? (toPath(request) === socketPath ? undefined : 404);
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, options.onTab);
  });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = findRefusal(request, port);
    if (refusal !== undefined) return refuse(response, refusal, toReason(refusal));
    const path = toPath(request);
    if (path === statePath) {
      const state = options.readState(request.headers.authorization);
      if (state === undefined) return refuse(response, 401, 'the token of this dashboard is missing');
      response.writeHead(200, { ...headers, 'content-type': 'application/json; charset=utf-8' });
      response.end(request.method === 'HEAD' ? undefined : state);
      return;
    }
    const files = await options.files;
    const name = files.has(path) ? path : '/';
    const file = files.get(name);
    // A missing script must not be answered with the page.
    if (!file || (name === '/' && /\.\w+$/.test(path))) return refuse(response, 404, 'not found');
    const isZipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    const body = isZipped ? (zipped.get(name) ?? gzipSync(file.body, { level: 9 })) : file.body;
    if (isZipped) zipped.set(name, Buffer.from(body));
    response.writeHead(200, {
      ...headers,
      'content-type': file.type,
      'content-length': body.byteLength,
      vary: 'accept-encoding',
      ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  function refuse(response: ServerResponse, status: number, reason: string): void {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.writeHead(status, { ...headers, 'content-type': 'text/plain; charset=utf-8' });
    response.end(`${reason}\n`);
  }

  return {
    port,
    close() {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
    },
  };
}

function toPath({ url = '' }: IncomingMessage): string {
  const [path = ''] = url.split('?');
  return path;
}

function toReason(refusal: 403 | 405 | 421): string {
  if (refusal === 421) return 'this server is 127.0.0.1 and localhost only';
  return refusal === 403 ? 'another site has sent this request' : 'only GET is allowed';
}

async function listenOnFree(
  server: Server,
  { port, tried }: Pick<WebServerOptions, 'port' | 'tried'>,
): Promise<number> {
  for (let next = port; next < port + tried && next <= 65_535; next++) {
    if (await listen(server, next)) return next;
  }
  const which = tried === 1 ? `port ${port} is taken` : `ports ${port} to ${port + tried - 1} are taken`;
  throw new Failure(which, { hint: 'npm run dashboard -- --port 4380', exitCode: exitCodes.port });
}

/** False when the port is taken, or this user may not have it. */
function listen(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      server.off('listening', onListening);
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    };
    const onListening = () => {
      server.off('error', onError);
      resolve(true);
    };
    server.once('error', onError);
    server.once('listening', onListening);
    server.listen({ port, host: '127.0.0.1', exclusive: true });
  });
}
