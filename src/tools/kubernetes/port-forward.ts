import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { ApiFailure, type ApiReader } from './api-server.ts';

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
  /** Milliseconds between two pings. */
  readonly pingInterval?: number;
}

/** The connection was not accepted and no byte of it was delivered: it may be retried as a whole. */
export class NotConnected extends ApiFailure {}

/** Milliseconds for the WebSocket handshake with the API server and the node. */
const timeout = 10_000;

/** The channel of a port's bytes; the other channel carries the error. */
const dataChannel = 0;

/** What a node reports when the program in the pod does not listen (containerd and CRI-O alike). */
const refusal = /failed to (connect|dial)|connection refused/;

/**
 * Connects to a port of a pod through the API server. The stream fails with `NotConnected` when the pod did not accept
 * the connection. One direction cannot be ended alone: a client ends with `destroy`.
 * @throws {NotConnected} when the pod does not exist or the API server does not respond.
 */
export async function dialPod(
  { server, agent }: ApiReader,
  { namespace, pod, port, pingInterval = 5_000 }: PodPort,
  signal: AbortSignal,
): Promise<Duplex> {
  signal.throwIfAborted();
  const url = `${server}/api/v1/namespaces/${namespace}/pods/${pod}/portforward?ports=${port}`;
  const socket = new WebSocket(url.replace(/^http/, 'ws'), 'v4.channel.k8s.io', {
    agent,
    perMessageDeflate: false,
    handshakeTimeout: timeout,
  });
  // Created before the connection is open, since the node's first bytes may arrive with it.
  const stream = toStream(socket);
  keepAlive(socket, pingInterval);
  const abort = () => socket.terminate();
  signal.addEventListener('abort', abort);
  try {
    await untilOpen(socket);
    // A refusal that came with the handshake has no other listener yet.
    if (stream.errored) throw stream.errored;
    return stream;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Ends a connection whose other end does not respond to pings: a half-open tunnel would otherwise never end. */
function keepAlive(socket: WebSocket, pingInterval: number): void {
  let missed = 0;
  /** A server that never answers pings is not taken for unresponsive. */
  let hasPong = false;
  const timer = setInterval(() => {
    // While reading is paused because the client is slow, no pong can arrive.
    if (socket.isPaused) missed = 0;
    if (socket.isPaused || socket.readyState !== WebSocket.OPEN) return;
    if (missed >= 2 && hasPong) return socket.terminate();
    missed++;
    socket.ping();
  }, pingInterval);
  socket.on('pong', () => {
    hasPong = true;
    missed = 0;
  });
  socket.on('close', () => clearInterval(timer));
}

function untilOpen(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', ({ message }) => {
      reject(new NotConnected('the cluster does not respond', { cause: message }));
    });
    socket.once('unexpected-response', (_, response: IncomingMessage) => {
      const { statusCode: status = 0 } = response;
      const fail = (cause: string) =>
        reject(new NotConnected(`the cluster responded with status ${status}`, { status, cause }));
      text(response).then(fail, (error) => fail(String(error)));
    });
  });
}

function toStream(socket: WebSocket): Duplex {
  /** Channels whose first message, the port's number, has arrived. */
  const started = new Set<number>();
  let isConnected = false;
  let isOpen = false;

  const stream = new Duplex({
    read: () => socket.resume(),
    write(chunk: Buffer, _, done) {
      const message = Buffer.allocUnsafe(chunk.length + 1);
      message[0] = dataChannel;
      chunk.copy(message, 1);
      socket.send(message, (error) => done(error));
    },
    destroy(error, done) {
      socket.terminate();
      done(error);
    },
  });

  // Until the caller has the stream, an error has no other listener, and would end the process.
  stream.on('error', () => {});
  socket.on('message', (message: Buffer) => {
    const [channel = dataChannel] = message;
    if (!started.has(channel)) {
      started.add(channel);
      return;
    }
    if (channel !== dataChannel)
      return void stream.destroy(toError(String(message.subarray(1)), isConnected));
    isConnected = true;
    if (!stream.push(message.subarray(1))) socket.pause();
  });
  // `untilOpen` reports the error of a socket that never opened.
  socket.on('error', (error) => stream.destroy(isOpen ? error : undefined));
  socket.once('open', () => {
    isOpen = true;
  });
  socket.on('close', () => {
    if (!stream.destroyed) stream.push(null);
  });
  return stream;
}

function toError(cause: string, isConnected: boolean): ApiFailure {
  const isRefusal = !isConnected && refusal.test(cause);
  const message = 'the connection to the pod failed';
  return isRefusal ? new NotConnected(message, { cause }) : new ApiFailure(message, { cause });
}
