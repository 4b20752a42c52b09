import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';

/** A request as a route sees it. */
export interface Request {
  readonly method: string;
  readonly url: URL;
  /** The parts of the path that the route names with a colon, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly message: IncomingMessage;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
}

/** What a route answers; status 200 unless it says otherwise. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | Readable;
}

export interface HttpRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/api/boards/:id`: a segment that begins with a colon is a parameter. */
  readonly path: string;
  /** Asked so often that its successes would drown the log. */
  readonly quiet?: boolean;
  handle(request: Request): Reply | Promise<Reply>;
}

/** A WebSocket; made by `socketRoute`, so that only services that have one carry the library. */
export interface SocketRoute {
  readonly method: 'UPGRADE';
  readonly path: string;
  accept(request: Request, socket: Duplex, head: Buffer): void;
}

export type Route = HttpRoute | SocketRoute;

export const isHttpRoute = (route: Route): route is HttpRoute => route.method !== 'UPGRADE';
export const isSocketRoute = (route: Route): route is SocketRoute => route.method === 'UPGRADE';

export function json(value: unknown, status = 200): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    body: `${JSON.stringify(value)}\n`,
  };
}
