import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';

/** A request as a route sees it. */
export interface Request {
  readonly method: string;
  readonly url: URL;
  /** The decoded path parameters by name. */
  readonly params: Readonly<Record<string, string>>;
  readonly message: IncomingMessage;
  /** Aborted when the client has disconnected. */
  readonly signal: AbortSignal;
}

/** The response of a route; the default status is 200. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | Readable;
}

export interface HttpRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/api/boards/:id`: a segment that begins with a colon is a parameter. */
  readonly path: string;
  /** Successful requests are not logged, because they are too frequent. */
  readonly quiet?: boolean;
  handle(request: Request): Reply | Promise<Reply>;
}

/** A WebSocket, created by `socketRoute`, so that only services with a WebSocket bundle the library. */
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
