import { type WebSocket, WebSocketServer } from 'ws';
import type { Request, SocketRoute } from './route.ts';

export type { WebSocket } from 'ws';

export interface SocketOptions {
  readonly path: string;
  readonly stopping: AbortSignal;
  /** Refuses by throwing an HttpError, before the connection becomes a WebSocket. */
  authorize(request: Request): void;
  open(socket: WebSocket, request: Request): void;
}

/** Milliseconds between two signs of life; a proxy ends what is silent for longer. */
const heartbeat = 25_000;
/** Milliseconds that the other side gets to agree to the end. */
const farewell = 2_000;
const messageLimit = 64 * 1024;
/** Bytes that may wait for a slow reader before it is cut off. */
const backlogLimit = 1024 * 1024;

/** A route that becomes a WebSocket. */
export function socketRoute({ path, stopping, authorize, open }: SocketOptions): SocketRoute {
  const server = new WebSocketServer({ noServer: true, maxPayload: messageLimit });
  const alive = new WeakSet<WebSocket>();
  let beat: NodeJS.Timeout | undefined;

  function checkAll(): void {
    for (const socket of server.clients) {
      if (!alive.delete(socket) || socket.bufferedAmount > backlogLimit) socket.terminate();
      else socket.ping();
    }
  }

  server.on('connection', (socket) => {
    beat ??= setInterval(checkAll, heartbeat).unref();
    alive.add(socket);
    socket.on('pong', () => alive.add(socket));
    // A broken or oversized message ends the socket; unheard, the event would end the process.
    socket.on('error', () => socket.terminate());
  });
  stopping.addEventListener('abort', () => {
    clearInterval(beat);
    // 1001: going away. The caller connects again and finds another replica.
    for (const socket of server.clients) socket.close(1001, 'stopping');
    setTimeout(() => {
      for (const socket of server.clients) socket.terminate();
    }, farewell).unref();
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

/** Sends JSON to a socket that still takes it. */
export function sendJson(socket: WebSocket, value: unknown): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(value));
}
