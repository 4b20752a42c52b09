import type { Duplex } from 'node:stream';
import { createHttpRelay } from '../tools/http-relay.ts';
import { isConnectionLost } from '../tools/kubernetes/api-server.ts';
import { detectHttp2 } from './detect-http2.ts';
import { type ErrorStatus, type Protocol, sendError, toErrorResponse } from './error-response.ts';
import { type BufferedClient, relayConnection, type UpstreamConnection } from './relay-connection.ts';
import { createRetry, type Retry, type RetryOptions, type RetryOutcome } from './retry.ts';

/** A pod that is ready. */
export interface Target {
  /** Unique key of the target. */
  readonly key: string;
  dial(signal: AbortSignal): Promise<Duplex>;
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
  readonly protocol: Protocol;
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
 * HTTP/2, as of gRPC, is forwarded as a whole.
 */
export function createForward(upstream: Upstream, options: ForwardOptions): Forward {
  const { protocol } = options;
  const retry = createRetry({ ...options, waitForChange: upstream.waitForChange });
  if (protocol !== 'http') {
    const serve = createTcpHandler(upstream, retry, options);
    return { serve, drain() {}, countOpen: () => 0, close() {} };
  }
  return createHttpForward(upstream, retry, options);
}

function createHttpForward(upstream: Upstream, retry: Retry, options: ForwardOptions): Forward {
  const { explain, signal, status = 503 } = options;
  const serveTcp = createTcpHandler(upstream, retry, options);
  const serveHttp2 = createTcpHandler(upstream, retry, { ...options, protocol: 'http2' });

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
      const isHttp2 = await detectHttp2(connection).catch(() => false);
      if (connection.destroyed) return;
      if (isHttp2) return serveHttp2(connection);
      // A request for an upgrade, such as to WebSocket, is forwarded as a TCP connection.
      const upgraded = await relay.serve(connection);
      if (upgraded) await serveTcp(upgraded);
    },
    drain: relay.drain,
    countOpen: relay.countOpen,
    close: relay.close,
  };
}

const never = new Promise<never>(() => {});

function createTcpHandler(upstream: Upstream, retry: Retry, { protocol, explain, signal }: ForwardOptions) {
  async function dial(closed: AbortSignal): Promise<UpstreamConnection | undefined> {
    const target = upstream.find();
    if (!target) return undefined;
    try {
      const stream = await target.dial(closed);
      // A server of HTTP/2 ends its connections itself, and says which requests it has accepted.
      const terminating = protocol === 'http2' ? never : target.waitUntilTerminating(closed);
      return { stream, terminating };
    } catch (error) {
      closed.throwIfAborted();
      if (isConnectionLost(error)) return undefined;
      throw error;
    }
  }

  return async (connection: Duplex): Promise<void> => {
    const client: BufferedClient = { connection, buffered: [], hasEnded: false };
    const clientClosed = new AbortController();
    const closed = AbortSignal.any([signal, clientClosed.signal]);
    // A connection error is followed by `close`.
    connection.on('error', () => {});
    connection.on('close', () => clientClosed.abort());
    try {
      const outcome = await retry.run(async () => {
        const upstreamConnection = await dial(closed);
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
