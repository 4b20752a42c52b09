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
  /** From now on requests are answered by these routes; those that came before, by the routes they came to. */
  use(routes: readonly Route[]): void;
  /** On the monotonic clock: when the last request came that was no probe of the node's; 0 before the first. */
  lastAsked(): number;
}

export interface ServerOptions {
  readonly cors: Cors;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Once aborted, each reply asks its caller to come back on a new connection. */
  readonly stopping: AbortSignal;
}

/** A server, not yet listening, that answers with routes, none at first, and counts, times and logs each request. */
export function createServiceServer({ cors, log, metrics, stopping }: ServerOptions): ServiceServer {
  let findHttp: Router<HttpRoute> = createRouter([]);
  let findSocket: Router<SocketRoute> = createRouter([]);
  let lastAsked = 0;
  const requests = metrics.counter('http_requests_total', 'Requests answered, by route and status.');
  const durations = metrics.histogram(
    'http_request_duration_seconds',
    'Time from a request to the end of its reply.',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  );

  async function answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    const gone = new AbortController();
    const method = message.method ?? 'GET';
    // The path of an unknown request is no label: it would make a series of each.
    let label = 'unmatched';
    let quiet = false;
    let failure: unknown;

    response.once('close', () => {
      gone.abort();
      const seconds = (performance.now() - started) / 1000;
      // 499 as ingress controllers write it: the caller left before the reply was complete.
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
        reply = await route.handle({ method, url, params, message, signal: gone.signal });
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
    if (!message.headers['user-agent']?.startsWith('kube-probe/')) lastAsked = performance.now();
    answer(message, response).catch((error: unknown) => {
      // The reply was under way: what remains is to end it, so that the caller sees it is not complete.
      if (!response.destroyed) log.error('reply broken off', { error: describeError(error) });
      response.destroy();
    });
  });
  // Longer than any proxy in front keeps an idle connection (Traefik: 90 s), so that it is never we who close one
  // just as a request arrives on it.
  server.keepAliveTimeout = 120_000;

  server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Until a WebSocket takes it over, nobody else listens, and an error without a listener ends the process.
    socket.on('error', () => socket.destroy());
    try {
      const url = toUrl(message);
      const { route, params } = findSocket('UPGRADE', url.pathname);
      const gone = new AbortController();
      socket.once('close', () => gone.abort());
      requests.add({ method: 'UPGRADE', route: route.path, status: '101' });
      route.accept({ method: 'UPGRADE', url, params, message, signal: gone.signal }, socket, head);
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
    lastAsked: () => lastAsked,
    use(routes) {
      findHttp = createRouter(routes.filter(isHttpRoute));
      findSocket = createRouter(routes.filter(isSocketRoute));
    },
  };
}

/** Only path and query are the client's to choose; the host is of no use here. */
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
    // Without this the first bytes of a stream wait for the next ones.
    response.flushHeaders();
    await pipeline(body, response);
    return;
  }
  if (body instanceof Readable) body.destroy();
  response.end(body instanceof Readable ? undefined : body);
}
