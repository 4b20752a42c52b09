import type { Duplex } from 'node:stream';
import { createHttpRelay } from '../tools/http-relay.ts';
import { isConnectionLost } from '../tools/kubernetes/api-server.ts';
import { type Protocol, refuse, toHttpRefusal } from './refusal.ts';
import { createRetry, type Retry, type RetryOptions, type RetryOutcome } from './retry.ts';
import { type Answerer, type HeldClient, splice } from './splice.ts';

/** Somebody who answers: a pod that is ready. */
export interface Target {
  /** No other one has it. */
  readonly key: string;
  dial(signal: AbortSignal): Promise<Duplex>;
  /** Resolves when it has begun to end, and answers only what it was asked before. Never rejects. */
  ending(signal: AbortSignal): Promise<void>;
}

/** What connections to one local port lead to. */
export interface Upstream {
  /** Who answers now; undefined while nobody does. */
  find(): Target | undefined;
  /** Resolves when it may be worth trying again. */
  changed(signal: AbortSignal): Promise<void>;
}

export interface ForwardOptions extends Omit<RetryOptions, 'changed'> {
  readonly protocol: Protocol;
  /** In one or more lines, why nobody answers; asked when somebody has waited for too long. */
  readonly explain: (why: Exclude<RetryOutcome, 'served'>, signal: AbortSignal) => Promise<string>;
  readonly signal: AbortSignal;
}

/** One local port. */
export interface Forward {
  /** Serves a connection that was accepted, and not read from yet. Resolves when it is over. */
  serve(connection: Duplex): Promise<void>;
  close(): void;
}

/**
 * Serves the connections of one local port, each for itself: while nobody answers, it is kept waiting, unread, and then
 * given to who does; when that takes too long, it is told why in its own protocol. What has been delivered is never
 * sent again. Of HTTP each request is a question of its own, so that a connection outlives the pod that answered it.
 */
export function createForward(upstream: Upstream, options: ForwardOptions): Forward {
  const { protocol } = options;
  const hold = createRetry({ ...options, changed: upstream.changed });
  if (protocol !== 'http') return { serve: createRaw(upstream, hold, options), close() {} };
  return createHttp(upstream, hold, options);
}

function createHttp(upstream: Upstream, hold: Retry, options: ForwardOptions): Forward {
  const { explain, signal } = options;
  const serveRaw = createRaw(upstream, hold, options);

  const relay = createHttpRelay({
    current: () => upstream.find()?.key,
    onResponse: hold.answered,
    async serve({ attempt, refuse, gone }) {
      const either = AbortSignal.any([signal, gone]);
      const held = await hold.until(async () => {
        const target = upstream.find();
        return target !== undefined && attempt(target);
      }, either);
      if (held !== 'served') refuse(toHttpRefusal(await explain(held, either)));
    },
  });

  return {
    async serve(connection) {
      // Who wants another protocol from here on is a connection and no longer requests.
      const rest = await relay.serve(connection);
      if (rest) await serveRaw(rest);
    },
    close: relay.close,
  };
}

function createRaw(upstream: Upstream, hold: Retry, { protocol, explain, signal }: ForwardOptions) {
  async function dial(gone: AbortSignal): Promise<Answerer | undefined> {
    const target = upstream.find();
    if (!target) return undefined;
    try {
      return { stream: await target.dial(gone), ending: target.ending(gone) };
    } catch (error) {
      gone.throwIfAborted();
      if (isConnectionLost(error)) return undefined;
      throw error;
    }
  }

  return async (connection: Duplex): Promise<void> => {
    const client: HeldClient = { connection, held: [], hasEnded: false };
    const left = new AbortController();
    const gone = AbortSignal.any([signal, left.signal]);
    // A client that breaks off closes, too.
    connection.on('error', () => {});
    connection.on('close', () => left.abort());
    try {
      const held = await hold.until(async () => {
        const dialed = await dial(gone);
        return dialed !== undefined && splice(client, dialed, hold.answered);
      }, gone);
      if (held !== 'served') await refuse(protocol, client, await explain(held, gone));
    } catch (error) {
      connection.destroy();
      if (!gone.aborted) throw error;
    }
  };
}
