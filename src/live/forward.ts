import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { isConnectionLost } from '../tools/api-server.ts';
import { type Answerer, type HeldClient, splice } from './splice.ts';

/** What connections to one local port lead to. */
export interface Upstream {
  /** A connection to what answers now; undefined while nothing does. */
  dial(signal: AbortSignal): Promise<Answerer | undefined>;
  /** Resolves when it may be worth trying again. */
  changed(signal: AbortSignal): Promise<void>;
}

export interface ForwardOptions {
  /** Milliseconds that a connection is kept waiting for somebody who answers. */
  readonly patience?: number;
  /** Told when connections have to wait, and when they no longer do. */
  readonly onWaiting?: (isWaiting: boolean) => void;
  /** Milliseconds after which a wait is told of. */
  readonly tellAfter?: number;
  readonly signal: AbortSignal;
}

const shortestPause = 50;
const longestPause = 1_000;

/**
 * Serves the connections of one local port, each for itself: while nobody answers, it is kept waiting, unread, and then
 * given to who does. What has been delivered is never sent again.
 */
export function createForward(
  upstream: Upstream,
  { patience = 30_000, onWaiting, tellAfter = 1_000, signal }: ForwardOptions,
): (connection: Duplex) => Promise<void> {
  let isTold = false;

  function tell(isWaiting: boolean): void {
    if (isWaiting === isTold) return;
    isTold = isWaiting;
    onWaiting?.(isWaiting);
  }

  /** Undefined when nobody has answered until then. */
  async function dialUntil(end: number, gone: AbortSignal): Promise<Answerer | undefined> {
    const tellAt = performance.now() + tellAfter;
    for (let pause = shortestPause; ; pause = Math.min(2 * pause, longestPause)) {
      const dialed = await dialOnce(gone);
      if (dialed) return dialed;
      const now = performance.now();
      if (now >= tellAt) tell(true);
      if (now >= end) return undefined;
      await pauseOrChange(Math.min(pause, end - now), gone);
    }
  }

  async function dialOnce(gone: AbortSignal): Promise<Answerer | undefined> {
    try {
      return await upstream.dial(gone);
    } catch (error) {
      gone.throwIfAborted();
      if (isConnectionLost(error)) return undefined;
      throw error;
    }
  }

  async function pauseOrChange(pause: number, gone: AbortSignal): Promise<void> {
    const either = new AbortController();
    const both = AbortSignal.any([gone, either.signal]);
    try {
      await Promise.race([sleep(pause, undefined, { signal: both }), upstream.changed(both)]);
    } finally {
      either.abort();
    }
  }

  return async (connection) => {
    const client: HeldClient = { connection, held: [], hasEnded: false };
    const left = new AbortController();
    const gone = AbortSignal.any([signal, left.signal]);
    // A client that breaks off closes, too.
    connection.on('error', () => {});
    connection.on('close', () => left.abort());
    const end = performance.now() + patience;
    try {
      for (;;) {
        const dialed = await dialUntil(end, gone);
        if (!dialed) break;
        if (await splice(client, dialed, () => tell(false))) return;
        await pauseOrChange(shortestPause, gone);
      }
      connection.destroy();
    } catch (error) {
      connection.destroy();
      if (!gone.aborted) throw error;
    }
  };
}
