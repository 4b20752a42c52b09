import type { Duplex } from 'node:stream';

/** A server to which connections can be made. */
export interface PoolTarget {
  readonly key: string;
  dial(signal: AbortSignal): Promise<Duplex>;
  /** Whether each direction of its connections ends by itself. */
  readonly endsSeparately?: boolean;
}

export interface ConnectionPool {
  /** A connection for exclusive use: the first that is released or made. @throws what `dial` throws. */
  lease(target: PoolTarget, gone: AbortSignal): Promise<Duplex>;
  /** Returns a connection to the pool; one that has ended, or whose target is not current any more, is closed. */
  release(target: PoolTarget, connection: Duplex): void;
  close(): void;
}

/** Milliseconds that an idle connection is kept open: less than any server keeps it. */
const idleTimeout = 1_000;

/** Connections that are made at a time to one target, so that a burst of requests does not slow down all of them. */
const maxDialing = 4;

interface Waiter {
  readonly resolve: (connection: Duplex) => void;
  readonly reject: (error: unknown) => void;
}

interface IdleConnection {
  readonly connection: Duplex;
  /** Time since which it is idle, in milliseconds of the monotonic clock. */
  readonly since: number;
  /** Removes it from the pool. */
  readonly take: () => void;
}

interface TargetState {
  readonly idle: IdleConnection[];
  readonly waiting: Waiter[];
  dialing: number;
}

/** Connections to each target, kept open for a moment. `current` is the key of the target of new requests. */
export function createConnectionPool(current: () => string | undefined): ConnectionPool {
  const states = new Map<string, TargetState>();
  const stopped = new AbortController();

  function stateOf(key: string): TargetState {
    const state = states.get(key) ?? { idle: [], waiting: [], dialing: 0 };
    states.set(key, state);
    return state;
  }

  function dial(target: PoolTarget, state: TargetState): void {
    state.dialing++;
    target
      .dial(stopped.signal)
      .then(
        (connection) => {
          // Its user handles errors as well; while it is idle, no other listener exists.
          connection.on('error', () => {});
          // A server that has ended its side gets no further request.
          connection.on('end', () => connection.destroy());
          offer(target, state, connection);
        },
        (error) => state.waiting.shift()?.reject(error),
      )
      .finally(() => {
        state.dialing--;
        if (state.waiting.length > state.dialing && state.dialing < maxDialing) dial(target, state);
        forget(target.key, state);
      });
  }

  function offer(target: PoolTarget, state: TargetState, connection: Duplex): void {
    if (connection.destroyed || !connection.writable) return;
    const next = state.waiting.shift();
    if (next) next.resolve(connection);
    else if (target.key !== current() || stopped.signal.aborted) connection.destroy();
    else keep(target.key, state, connection);
  }

  function keep(key: string, state: TargetState, connection: Duplex): void {
    const take = () => {
      clearTimeout(timer);
      connection.off('close', take);
      const at = state.idle.indexOf(entry);
      if (at !== -1) state.idle.splice(at, 1);
      forget(key, state);
    };
    const timer = setTimeout(() => discard(entry), idleTimeout);
    const entry = { connection, since: performance.now(), take };
    state.idle.push(entry);
    connection.on('close', take);
  }

  function discard({ connection, take }: IdleConnection): void {
    // `close` is emitted later, and it must not be leased until then.
    take();
    connection.destroy();
  }

  /** An idle connection that is still usable. After a stall of this process, timers and events of connections are late. */
  function takeIdle({ idle }: TargetState): Duplex | undefined {
    for (let entry = idle.at(-1); entry; entry = idle.at(-1)) {
      const { connection, since } = entry;
      const isUsable = connection.writable && !connection.readableEnded;
      if (isUsable && performance.now() - since < idleTimeout) {
        entry.take();
        return connection;
      }
      discard(entry);
    }
  }

  function forget(key: string, state: TargetState): void {
    if (state.idle.length + state.waiting.length + state.dialing === 0) states.delete(key);
  }

  return {
    lease(target, gone) {
      const idleConnection = takeIdle(stateOf(target.key));
      if (idleConnection) return Promise.resolve(idleConnection);
      // Taking the last idle connection may have removed the previous state.
      const state = stateOf(target.key);
      return new Promise((resolve, reject) => {
        const waiter: Waiter = { resolve, reject };
        state.waiting.push(waiter);
        const leave = () => {
          const at = state.waiting.indexOf(waiter);
          if (at !== -1) state.waiting.splice(at, 1);
          reject(gone.reason);
        };
        gone.addEventListener('abort', leave, { once: true });
        if (state.dialing < maxDialing) dial(target, state);
      });
    },

    release(target, connection) {
      if (connection.destroyed) return;
      if (!connection.writable) connection.destroy();
      else offer(target, stateOf(target.key), connection);
    },

    close() {
      stopped.abort(new Error('closed'));
      for (const state of states.values()) for (const { connection } of [...state.idle]) connection.destroy();
    },
  };
}
