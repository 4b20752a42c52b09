import type { Duplex } from 'node:stream';
import { createHttpRelay } from '../tools/http-relay.ts';
import { isConnectionLost } from '../tools/kubernetes/api-server.ts';
import { detectHttp2, detectProtocol, type Spoken } from './detect-protocol.ts';
import { type ErrorStatus, type Protocol, sendError, toErrorResponse } from './error-response.ts';
import { waitForFirst } from './first-event.ts';
import { type BufferedClient, relayConnection, type UpstreamConnection } from './relay-connection.ts';
import { createRetry, type Retry, type RetryOptions, type RetryOutcome } from './retry.ts';

/** A pod that is ready. */
export interface Target {
  /** Unique key of the target. */
  readonly key: string;
  dial(signal: AbortSignal): Promise<Duplex>;
  /** Whether each direction of its connections ends by itself, which a port forward of Kubernetes cannot do. */
  readonly endsSeparately?: boolean;
  /** Resolves when the pod is terminating, after which it must not get new requests. Never rejects. */
  waitUntilTerminating(signal: AbortSignal): Promise<void>;
}

/** Where connections to one local port are forwarded to. */
export interface Upstream {
  /** The current target; undefined while no pod is ready. */
  find(): Target | undefined;
  /** Resolves when another attempt may succeed. */
  waitForChange(signal: AbortSignal): Promise<void>;
}

export interface ForwardOptions extends Omit<RetryOptions, 'waitForChange'> {
  /** `any`: what each connection shows, be it HTTP or not. */
  readonly protocol: Protocol | 'any';
  /** Status of HTTP requests that were not served; 503 by default. */
  readonly status?: ErrorStatus;
  /** Explains in one or more lines why no target responds. Called when a request was not served. */
  readonly explain: (outcome: Exclude<RetryOutcome, 'served'>, signal: AbortSignal) => Promise<string>;
  readonly signal: AbortSignal;
}

/** One local port. */
export interface Forward {
  /** Serves an accepted connection that was not read from yet. Resolves when the connection is closed. */
  serve(connection: Duplex): Promise<void>;
  /** Lets each client's connection end with its next response, so that the client connects anew. HTTP only. */
  drain(): void;
  /** Number of HTTP requests that are being served. */
  countOpen(): number;
  close(): void;
}

/**
 * Serves the connections of one local port independently of each other. While no target is ready, a connection waits
 * unread; after the timeout the client gets an error in its own protocol. Delivered data is never sent again. For HTTP,
 * each request is forwarded separately, so that a client's connection outlives the pod. A connection that begins with
 * HTTP/2, as of gRPC, is forwarded as a whole. With `any`, so is one that begins otherwise than HTTP, or whose server speaks
 * first.
 */
export function createForward(upstream: Upstream, options: ForwardOptions): Forward {
  const { protocol } = options;
  const retry = createRetry({ ...options, waitForChange: upstream.waitForChange });
  if (protocol !== 'http' && protocol !== 'any') {
    const serve = createTcpHandler(upstream, retry, { ...options, protocol });
    return { serve, drain() {}, countOpen: () => 0, close() {} };
  }
  return createHttpForward(upstream, retry, options);
}

/** Milliseconds without a client's first byte after which its server may speak first. */
const silence = 200;

function createHttpForward(upstream: Upstream, retry: Retry, options: ForwardOptions): Forward {
  const { protocol, explain, signal, status = 503 } = options;
  const handle = {
    upgraded: createTcpHandler(upstream, retry, { ...options, protocol: 'http' }),
    http2: createTcpHandler(upstream, retry, { ...options, protocol: 'http2' }),
    tcp: createTcpHandler(upstream, retry, { ...options, protocol: 'tcp' }),
  };

  async function detect(connection: Duplex): Promise<Spoken> {
    if (protocol === 'any') return detectProtocol(connection);
    return (await detectHttp2(connection)) ? 'http2' : 'http';
  }

  const relay = createHttpRelay({
    current: () => upstream.find()?.key,
    onResponse: retry.responded,
    async serve({ attempt, refuse, gone }) {
      const combined = AbortSignal.any([signal, gone]);
      const outcome = await retry.run(async () => {
        const target = upstream.find();
        return target !== undefined && attempt(target);
      }, combined);
      if (outcome !== 'served') refuse(toErrorResponse(status, await explain(outcome, combined)));
    },
  });

  return {
    async serve(connection) {
      // An error is followed by `close`, which ends the waiting.
      connection.on('error', () => {});
      if (protocol === 'any' && !(await waitForFirst([connection], silence))) {
        const speaker = await dialSpeaker(upstream, connection, signal);
        if (speaker) return handle.tcp(connection, speaker);
      }
      const spoken = await detect(connection);
      if (connection.destroyed) return;
      if (spoken !== 'http') return handle[spoken](connection);
      // A request for an upgrade, such as to WebSocket, is forwarded as a TCP connection.
      const upgraded = await relay.serve(connection);
      if (upgraded) await handle.upgraded(upgraded);
    },
    drain: relay.drain,
    countOpen: relay.countOpen,
    close: relay.close,
  };
}

/**
 * A connection to the server if it sends something before this silent client does, as those of SMTP or MySQL do. Another
 * server, which waits for its client, sees a connection that is closed.
 */
async function dialSpeaker(
  upstream: Upstream,
  client: Duplex,
  signal: AbortSignal,
): Promise<UpstreamConnection | undefined> {
  const target = upstream.find();
  if (!target) return undefined;
  const closed = new AbortController();
  client.on('close', () => closed.abort());
  const opened = await dial(target, AbortSignal.any([signal, closed.signal])).catch((error: unknown) => {
    if (!signal.aborted && !client.destroyed) throw error;
  });
  if (!opened) return undefined;
  const { stream } = opened;
  stream.on('error', () => {});
  const first = await waitForFirst([client, stream]);
  if (first === stream && stream.readableLength > 0) return opened;
  stream.destroy();
  return undefined;
}

const never = new Promise<never>(() => {});

interface TcpOptions extends Pick<ForwardOptions, 'explain' | 'signal'> {
  readonly protocol: Protocol;
}

/** Undefined when the target did not accept the connection. */
async function dial(target: Target, gone: AbortSignal): Promise<UpstreamConnection | undefined> {
  try {
    const stream = await target.dial(gone);
    const { endsSeparately = false } = target;
    return { stream, endsSeparately, terminating: target.waitUntilTerminating(gone) };
  } catch (error) {
    gone.throwIfAborted();
    if (isConnectionLost(error)) return undefined;
    throw error;
  }
}

function createTcpHandler(upstream: Upstream, retry: Retry, { protocol, explain, signal }: TcpOptions) {
  async function dialCurrent(closed: AbortSignal): Promise<UpstreamConnection | undefined> {
    const target = upstream.find();
    const opened = target && (await dial(target, closed));
    // A server of HTTP/2 ends its connections itself, and says which requests it has accepted.
    return opened && protocol === 'http2' ? { ...opened, terminating: never } : opened;
  }

  return async (connection: Duplex, opened?: UpstreamConnection): Promise<void> => {
    const client: BufferedClient = { connection, buffered: [], hasEnded: false };
    const clientClosed = new AbortController();
    const closed = AbortSignal.any([signal, clientClosed.signal]);
    // A connection error is followed by `close`.
    connection.on('error', () => {});
    connection.on('close', () => clientClosed.abort());
    try {
      let next = opened;
      const outcome = await retry.run(async () => {
        const upstreamConnection = next ?? (await dialCurrent(closed));
        next = undefined;
        return (
          upstreamConnection !== undefined && relayConnection(client, upstreamConnection, retry.responded)
        );
      }, closed);
      if (outcome !== 'served') await sendError(protocol, client, await explain(outcome, closed));
    } catch (error) {
      connection.destroy();
      if (!closed.aborted) throw error;
    }
  };
}
