import { performServerHandshake, type ServerHttp2Session } from 'node:http2';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { toPlainStream } from '../plain-stream.ts';
import type { ApiReader } from './api-server.ts';
import { dialPod, type PodPort } from './port-forward.ts';

export interface PodTunnelOptions {
  /** Where `intercept/agent.js` listens for this tunnel. */
  readonly target: PodPort;
  readonly signal: AbortSignal;
  /** Called with each connection that the agent has accepted. */
  readonly onConnection: (connection: Duplex) => void;
  /** Called when the tunnel is open, and with the reason when it is lost. */
  readonly onOpen?: () => void;
  readonly onLost?: (reason: unknown) => void;
}

/** Milliseconds between two attempts; the delay doubles each time. */
const minDelay = 50;
const maxDelay = 1_000;

/** Bytes that may be on their way, in one connection and in all. */
const streamWindow = 1 << 20;
const sessionWindow = 16 << 20;

/**
 * Receives the connections that an agent in a pod accepts, until the signal is aborted. One port forward through the API
 * server carries HTTP/2, of which the agent is the client: each connection is one CONNECT stream, with flow control and
 * half-close of its own. A lost tunnel is opened again. @throws the signal's reason only.
 */
export async function keepPodTunnel(api: ApiReader, options: PodTunnelOptions): Promise<never> {
  const { target, signal, onConnection, onOpen, onLost } = options;
  let delay = minDelay;
  for (;;) {
    let reason: unknown = new Error('closed');
    try {
      const stream = await dialPod(api, target, signal);
      stream.on('error', (error) => {
        reason = error;
      });
      const session = performServerHandshake(stream, {
        settings: { initialWindowSize: streamWindow, maxConcurrentStreams: 10_000 },
        maxSessionMemory: 256,
      });
      session.on('error', (error) => {
        reason = error;
      });
      session.once('remoteSettings', () => {
        session.setLocalWindowSize(sessionWindow);
        delay = minDelay;
        onOpen?.();
      });
      session.on('stream', (connection) => {
        connection.on('error', () => {});
        connection.respond({ ':status': 200 });
        onConnection(toPlainStream(connection));
      });
      await untilClosed(session, signal);
      stream.destroy();
    } catch (error) {
      reason = error;
    }
    signal.throwIfAborted();
    onLost?.(reason);
    await sleep(delay, undefined, { signal });
    delay = Math.min(2 * delay, maxDelay);
  }
}

function untilClosed(session: ServerHttp2Session, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => session.destroy();
    session.once('close', () => {
      signal.removeEventListener('abort', end);
      resolve();
    });
    signal.addEventListener('abort', end);
    if (signal.aborted || session.destroyed) end();
  });
}
