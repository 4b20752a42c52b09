import { connect, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { NotConnected } from './kubernetes/port-forward.ts';

/**
 * Connects to a program on this machine's loopback: on 127.0.0.1, else on [::1], where a development server listens that
 * was told `localhost`. @throws {NotConnected} when nothing listens on either, and the signal's reason.
 */
export async function dialLoopback(port: number, signal: AbortSignal): Promise<Duplex> {
  try {
    return await dial('127.0.0.1', port, signal);
  } catch (error) {
    signal.throwIfAborted();
    return await dial('::1', port, signal).catch(() => {
      signal.throwIfAborted();
      throw new NotConnected(`nothing listens on port ${port}`, { cause: error });
    });
  }
}

function dial(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
    const abort = () => socket.destroy(new Error('aborted'));
    signal.addEventListener('abort', abort);
    const settle = () => signal.removeEventListener('abort', abort);
    socket.once('connect', () => {
      settle();
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
    socket.once('close', settle);
  });
}

/** Ends a connection as one that was lost: the other side must not take it for the end of what was sent. */
export function breakOff(connection: Duplex): void {
  if (connection instanceof Socket) connection.resetAndDestroy();
  else connection.destroy();
}

/** Whether a program accepts connections on this port of the loopback. */
export async function isListening(port: number, signal: AbortSignal): Promise<boolean> {
  try {
    (await dialLoopback(port, signal)).destroy();
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NotConnected) return false;
    throw error;
  }
}
