import { type WebSocket, WebSocketServer } from 'ws';
import type { Request, SocketRoute } from './route.ts';

export type { WebSocket } from 'ws';

export interface SocketOptions {
  readonly path: string;
  readonly stopping: AbortSignal;
  /** Throws an HttpError to reject the request before the upgrade. */
  authorize(request: Request): void;
  open(socket: WebSocket, request: Request): void;
}

/** Milliseconds between two pings, which keep proxies from closing an idle connection. */
const heartbeatInterval = 25_000;
/** Milliseconds to wait for the client's close frame. */
const closeTimeout = 2_000;
const maxMessageBytes = 64 * 1024;
/** Bytes that may be buffered for a slow client before its connection is closed. */
const maxBacklogBytes = 1024 * 1024;

/** Creates a WebSocket route. */
export function socketRoute({ path, stopping, authorize, open }: SocketOptions): SocketRoute {
  const server = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes });
  const alive = new WeakSet<WebSocket>();
  let heartbeatTimer: NodeJS.Timeout | undefined;

  function checkAll(): void {
    for (const socket of server.clients) {
      if (!alive.delete(socket) || socket.bufferedAmount > maxBacklogBytes) socket.terminate();
      else socket.ping();
    }
  }

  server.on('connection', (socket) => {
    heartbeatTimer ??= setInterval(checkAll, heartbeatInterval).unref();
    alive.add(socket);
    socket.on('pong', () => alive.add(socket));
    // After an invalid or oversized message; without a listener the event would end the process.
    socket.on('error', () => socket.terminate());
  });
  stopping.addEventListener('abort', () => {
    clearInterval(heartbeatTimer);
    // 1001 means going away: the client reconnects, to another replica.
    for (const socket of server.clients) socket.close(1001, 'stopping');
    setTimeout(() => {
      for (const socket of server.clients) socket.terminate();
    }, closeTimeout).unref();
  });

  return {
    method: 'UPGRADE',
    path,
    accept(request, socket, head) {
      authorize(request);
      server.handleUpgrade(request.message, socket, head, (opened) => {
        server.emit('connection', opened, request.message);
        open(opened, request);
      });
    },
  };
}

/** Sends JSON if the socket is open. */
export function sendJson(socket: WebSocket, value: unknown): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(value));
}
