import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createConnectionPool, type PoolTarget } from './connection-pool.ts';
import { type BufferedBody, bufferBody } from './http-body.ts';
import { isConnectionLost } from './kubernetes/api-server.ts';
import { NotConnected } from './kubernetes/port-forward.ts';

export interface RelayResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One request of a client. */
export interface RelayedRequest {
  /** Sends it to the target. Resolves to false when nothing was delivered because the target did not accept it. */
  attempt(target: PoolTarget): Promise<boolean>;
  refuse(response: RelayResponse): void;
  /** Aborted when the client has closed its connection. */
  readonly gone: AbortSignal;
}

export interface HttpRelayOptions {
  /** The key of the current target: idle connections to others are closed. */
  readonly current: () => string | undefined;
  readonly onResponse: () => void;
  readonly serve: (request: RelayedRequest) => Promise<void>;
}

export interface HttpRelay {
  /**
   * Serves HTTP/1 on a client's connection until it closes. Resolves to the connection, with all that was read put back,
   * when the client upgrades it to another protocol such as WebSocket. @throws what `serve` throws.
   */
  serve(connection: Duplex): Promise<Duplex | undefined>;
  /** From now on each response ends its client's connection. */
  drain(): void;
  /** Number of requests whose responses have not ended. */
  countOpen(): number;
  close(): void;
}

const largestHead = 64 * 1024;

/** Headers that belong to one connection and not to a message (RFC 9110, 7.6.1). */
const perConnection = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade']);

/** Relays the requests of clients, each to the target that `serve` chooses for it. */
export function createHttpRelay({ current, onResponse, serve }: HttpRelayOptions): HttpRelay {
  const pool = createConnectionPool(current);
  const upgraded = new WeakMap<Duplex, (connection: Duplex) => void>();
  const failed = new WeakMap<Duplex, (error: unknown) => void>();
  let isDraining = false;
  let open = 0;

  const server = createServer(
    { maxHeaderSize: largestHead, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0, noDelay: true },
    (request, response) => {
      relay(request, response).catch((error) => {
        response.destroy();
        failed.get(request.socket)?.(error);
      });
    },
  );
  // A client that has ended its side may still wait for its response.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    connection.unshift(Buffer.concat([toHead(request), head]));
    upgraded.get(connection)?.(connection);
  });

  async function relay(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new AbortController();
    open++;
    response.on('close', () => {
      open--;
      if (!response.writableFinished) left.abort();
    });
    const body = bufferBody(request);
    try {
      await serve({
        gone: left.signal,
        attempt: (target) => exchange(target, request, response, body, left.signal),
        refuse: (answer) => refuse(response, answer),
      });
    } catch (error) {
      if (!left.signal.aborted) throw error;
    }
  }

  async function exchange(
    target: PoolTarget,
    request: IncomingMessage,
    response: ServerResponse,
    body: BufferedBody,
    gone: AbortSignal,
  ): Promise<boolean> {
    const client = request.socket;
    if (client.readableEnded && !target.endsSeparately) response.destroy();
    const connection = await pool.lease(target, gone).catch((error) => {
      gone.throwIfAborted();
      if (!isConnectionLost(error)) throw error;
    });
    if (!connection) return false;
    const upstream = httpRequest({
      ...{
        method: request.method ?? 'GET',
        path: request.url ?? '/',
        maxHeaderSize: largestHead,
        signal: gone,
      },
      headers: [...withoutPerConnection(request.rawHeaders), 'Connection', 'keep-alive'],
      createConnection: () => connection,
    });
    // Without an agent the connection would not outlive its first request.
    upstream.shouldKeepAlive = true;
    return new Promise((resolve) => {
      upstream.on('error', (error) => {
        const isUntouched = error instanceof NotConnected && body.isWhole();
        body.stop();
        connection.destroy();
        if (!isUntouched) refuse(response, toLostResponse(error));
        resolve(!isUntouched);
      });
      upstream.on('response', (answer) => {
        onResponse();
        if (isDraining) response.shouldKeepAlive = false;
        void sendResponse(answer, response).then(() => resolve(true));
      });
      const onClientEnd = () => {
        // The server decides whether it still responds, as without this relay. Where it cannot be told, nobody waits.
        if (target.endsSeparately) endAfter(upstream, connection);
        else response.destroy();
      };
      client.once('end', onClientEnd);
      upstream.on('close', () => {
        client.off('end', onClientEnd);
        pool.release(target, connection);
      });
      body.sendTo(upstream);
      if (client.readableEnded) onClientEnd();
    });
  }

  return {
    serve(connection) {
      return new Promise((resolve, reject) => {
        upgraded.set(connection, resolve);
        failed.set(connection, reject);
        connection.on('error', () => {});
        connection.on('close', () => resolve(undefined));
        server.emit('connection', connection);
        connection.resume();
      });
    },
    drain() {
      isDraining = true;
    },
    countOpen: () => open,
    close() {
      pool.close();
      server.closeAllConnections();
    },
  };
}

/** Ends the server's side of a connection once the request is sent. */
function endAfter(sent: ClientRequest, connection: Duplex): void {
  if (sent.writableFinished) connection.end();
  else sent.once('finish', () => connection.end());
}

/** Streams a response to the client; where it is cut off, the client's connection is closed. */
async function sendResponse(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  const { statusCode = 502, statusMessage = '', rawHeaders } = answer;
  // Node chooses the transfer encoding for this connection by itself.
  const headers = withoutPerConnection(rawHeaders, 'transfer-encoding', 'trailer');
  response.sendDate = false;
  response.writeHead(statusCode, statusMessage, headers);
  // Server-sent events may follow much later than the headers.
  if (answer.headers['content-length'] === undefined) response.flushHeaders();
  await pipeline(answer, response).catch(() => response.destroy());
}

function refuse(response: ServerResponse, { status, reason, headers, body }: RelayResponse): void {
  if (response.headersSent) return void response.destroy();
  // The rest of the request is not read.
  response.writeHead(status, reason, { ...headers, connection: 'close' }).end(body);
}

function toLostResponse(error: Error): RelayResponse {
  const body = `the connection was lost before a response: ${error.message}\nThe request was delivered and is not repeated.\n`;
  return {
    status: 502,
    reason: 'Bad Gateway',
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body,
  };
}

/** Header names and values in turn, without those of one connection and without `others`. */
function withoutPerConnection(rawHeaders: readonly string[], ...others: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    const lower = name.toLowerCase();
    if (!perConnection.has(lower) && !others.includes(lower)) kept.push(name, value);
  }
  return kept;
}

/** The request line and headers as the client sent them. */
function toHead({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
