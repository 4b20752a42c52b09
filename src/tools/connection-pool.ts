import type { Duplex } from 'node:stream';

/** Somebody to whom connections can be made. */
export interface PoolTarget {
  readonly key: string;
  dial(signal: AbortSignal): Promise<Duplex>;
}

export interface ConnectionPool {
  /** A connection that nobody else uses: the first that is given back or made. @throws what dialing throws. */
  lease(target: PoolTarget, gone: AbortSignal): Promise<Duplex>;
  /** Gives it back; one that has ended, or leads to somebody who is asked no more, is closed. */
  release(target: PoolTarget, connection: Duplex): void;
  close(): void;
}

/** Milliseconds that a connection is kept for the next one who asks: less than any server keeps it. */
const idle = 1_000;

/** Connections that are made at a time to one target: what comes quicker than they are made shall not slow them down. */
const mostDialing = 4;

interface Waiter {
  readonly resolve: (connection: Duplex) => void;
  readonly reject: (error: unknown) => void;
}

interface Side {
  readonly idle: { readonly connection: Duplex; readonly take: () => void }[];
  readonly waiting: Waiter[];
  dialing: number;
}

/** Connections to each target, kept for a moment. `current` is the key of who would be asked now. */
export function createConnectionPool(current: () => string | undefined): ConnectionPool {
  const sides = new Map<string, Side>();
  const stopped = new AbortController();

  function sideOf(key: string): Side {
    const side = sides.get(key) ?? { idle: [], waiting: [], dialing: 0 };
    sides.set(key, side);
    return side;
  }

  function dial(target: PoolTarget, side: Side): void {
    side.dialing++;
    target
      .dial(stopped.signal)
      .then(
        (connection) => {
          // Whoever uses it hears of its errors, too; idle, nobody would.
          connection.on('error', () => {});
          // One direction cannot be ended alone.
          connection.on('end', () => connection.destroy());
          give(target, side, connection);
        },
        (error) => side.waiting.shift()?.reject(error),
      )
      .finally(() => {
        side.dialing--;
        if (side.waiting.length > side.dialing && side.dialing < mostDialing) dial(target, side);
        forget(target.key, side);
      });
  }

  function give(target: PoolTarget, side: Side, connection: Duplex): void {
    if (connection.destroyed || !connection.writable) return;
    const next = side.waiting.shift();
    if (next) next.resolve(connection);
    else if (target.key !== current() || stopped.signal.aborted) connection.destroy();
    else keep(target.key, side, connection);
  }

  function keep(key: string, side: Side, connection: Duplex): void {
    const take = () => {
      clearTimeout(timer);
      connection.off('close', take);
      const at = side.idle.indexOf(entry);
      if (at !== -1) side.idle.splice(at, 1);
      forget(key, side);
    };
    const timer = setTimeout(() => connection.destroy(), idle);
    const entry = { connection, take };
    side.idle.push(entry);
    connection.on('close', take);
  }

  function forget(key: string, side: Side): void {
    if (side.idle.length + side.waiting.length + side.dialing === 0) sides.delete(key);
  }

  return {
    lease(target, gone) {
      const side = sideOf(target.key);
      const kept = side.idle.at(-1);
      if (kept) {
        kept.take();
        return Promise.resolve(kept.connection);
      }
      return new Promise((resolve, reject) => {
        const waiter: Waiter = { resolve, reject };
        side.waiting.push(waiter);
        const leave = () => {
          const at = side.waiting.indexOf(waiter);
          if (at !== -1) side.waiting.splice(at, 1);
          reject(gone.reason);
        };
        gone.addEventListener('abort', leave, { once: true });
        if (side.dialing < mostDialing) dial(target, side);
      });
    },

    release(target, connection) {
      if (connection.destroyed) return;
      if (!connection.writable) connection.destroy();
      else give(target, sideOf(target.key), connection);
    },

    close() {
      stopped.abort(new Error('closed'));
      for (const side of sides.values()) for (const { connection } of [...side.idle]) connection.destroy();
    },
  };
}
