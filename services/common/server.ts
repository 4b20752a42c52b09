import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Cors } from './cors.ts';
import { describeError } from './describe-error.ts';
import { isHttpError } from './http-error.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import {
  type HttpRoute,
  isHttpRoute,
  isSocketRoute,
  json,
  type Reply,
  type Route,
  type SocketRoute,
} from './route.ts';
import { createRouter, type Router } from './router.ts';

export interface ServiceServer {
  readonly server: Server;
  /** New requests use these routes; running requests finish with the previous ones. */
  use(routes: readonly Route[]): void;
  /** Monotonic time of the last request that was not a kubelet probe; 0 before the first. */
  lastRequestTime(): number;
}

export interface ServerOptions {
  readonly cors: Cors;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Once aborted, each reply closes its connection, so that the client opens a new one. */
  readonly stopping: AbortSignal;
}

/** Creates a server that is not listening yet and has no routes yet. It counts, times and logs each request. */
export function createServiceServer({ cors, log, metrics, stopping }: ServerOptions): ServiceServer {
  let findHttp: Router<HttpRoute> = createRouter([]);
  let findSocket: Router<SocketRoute> = createRouter([]);
  let lastRequestTime = 0;
  const requests = metrics.counter('http_requests_total', 'Requests by route and status.');
  const durations = metrics.histogram(
    'http_request_duration_seconds',
    'Time from a request to the end of its reply.',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  );

  async function respond(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    const closed = new AbortController();
    const method = message.method ?? 'GET';
    // Unknown paths share one label, because each label value is a time series.
    let label = 'unmatched';
    let quiet = false;
    let failure: unknown;

    response.once('close', () => {
      closed.abort();
      const seconds = (performance.now() - started) / 1000;
      // 499, as in ingress controllers: the client disconnected before the reply was complete.
      const status = response.writableFinished ? response.statusCode : 499;
      requests.add({ method: label === 'unmatched' ? 'any' : method, route: label, status: String(status) });
      durations.observe({ route: label }, seconds);
      if (quiet && failure === undefined) return;
      const fields = { method, path: toUrl(message).pathname, status, ms: Math.round(seconds * 10_000) / 10 };
      if (status < 500) log.info('request', fields);
      else if (failure === undefined) log.warn('request', fields);
      else log.error('request', { ...fields, error: describeError(failure) });
    });

    const corsHeaders = cors(message.headers);
    let reply: Reply;
    try {
      if (method === 'OPTIONS') {
        reply = { status: 204 };
      } else {
        const url = toUrl(message);
        const { route, params } = findHttp(method === 'HEAD' ? 'GET' : method, url.pathname);
        label = route.path;
        quiet = route.quiet ?? false;
        reply = await route.handle({ method, url, params, message, signal: closed.signal });
      }
    } catch (error) {
      failure = error;
      if (!isHttpError(error)) log.error('bug', { stack: error instanceof Error ? error.stack : error });
      reply = toErrorReply(error);
    }
    await send(response, reply, {
      ...corsHeaders,
      ...(stopping.aborted ? { connection: 'close' } : {}),
    });
  }

  const server = createServer((message, response) => {
    if (!message.headers['user-agent']?.startsWith('kube-probe/')) lastRequestTime = performance.now();
    respond(message, response).catch((error: unknown) => {
      // The reply has begun: close the connection, so that the client detects that it is incomplete.
      if (!response.destroyed) log.error('reply aborted', { error: describeError(error) });
      response.destroy();
    });
  });
  // Longer than the idle timeout of proxies (Traefik: 90 s), so that this side never closes a connection on which a
  // request
  // is arriving.
  server.keepAliveTimeout = 120_000;

  server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Until the WebSocket library handles the socket, an error without a listener would end the process.
    socket.on('error', () => socket.destroy());
    try {
      const url = toUrl(message);
      const { route, params } = findSocket('UPGRADE', url.pathname);
      const closed = new AbortController();
      socket.once('close', () => closed.abort());
      requests.add({ method: 'UPGRADE', route: route.path, status: '101' });
      route.accept({ method: 'UPGRADE', url, params, message, signal: closed.signal }, socket, head);
    } catch (error) {
      const { status = 500, body } = toErrorReply(error);
      if (status >= 500) log.error('upgrade', { error: describeError(error) });
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n` +
          `content-type: application/json; charset=utf-8\r\n\r\n${body}`,
      );
    }
  });
  return {
    server,
    lastRequestTime: () => lastRequestTime,
    use(routes) {
      findHttp = createRouter(routes.filter(isHttpRoute));
      findSocket = createRouter(routes.filter(isSocketRoute));
    },
  };
}

/** The URL with path and query of the request; its host is ignored. */
function toUrl(message: IncomingMessage): URL {
  const target = message.url ?? '/';
  return new URL(target.startsWith('/') ? `http://service${target}` : 'http://service/');
}

function toErrorReply(error: unknown): Reply {
  if (!isHttpError(error)) return json({ error: 'internal error' }, 500);
  const reply = json({ error: error.message }, error.status);
  return { ...reply, headers: { ...reply.headers, ...error.headers } };
}

async function send(
  response: ServerResponse,
  { status = 200, headers = {}, body }: Reply,
  extraHeaders: Readonly<Record<string, string>>,
): Promise<void> {
  if (response.destroyed) {
    if (body instanceof Readable) body.destroy();
    return;
  }
  const length =
    body instanceof Readable || body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { 'x-content-type-options': 'nosniff', ...length, ...headers, ...extraHeaders });
  if (body instanceof Readable && response.req.method !== 'HEAD') {
    // Otherwise the headers wait for the first bytes of the stream.
    response.flushHeaders();
    await pipeline(body, response);
    return;
  }
  if (body instanceof Readable) body.destroy();
  response.end(body instanceof Readable ? undefined : body);
}
