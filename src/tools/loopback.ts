import { createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { probePort } from './port-probe.ts';

/** A TCP port of this machine on which this program listens, on 127.0.0.1 only. */
export interface Listener {
  readonly port: number;
  /** Accepts no more connections and closes the open ones. */
  close(): void;
}

/** More connections at once are refused: each needs a file descriptor here and another one in the pod. */
const maxConnections = 512;

/**
 * Listens on 127.0.0.1. Connections are handed over unread: until then their data waits in the socket.
 * Undefined when the port is taken, or this user may not have it.
 */
export async function listenOnLoopback(
  port: number,
  onConnection: (connection: Duplex) => void,
): Promise<Listener | undefined> {
  if ((await probePort(port)) !== 'free') return undefined;
  const connections = new Set<Duplex>();
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    onConnection(connection);
  });
  server.maxConnections = maxConnections;
  if (!(await listen(server, port))) return undefined;
  return {
    port,
    close() {
      server.close();
      for (const connection of connections) connection.destroy();
    },
  };
}

/** False when another process took the port meanwhile. */
function listen(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(true));
  });
}
