import { join } from 'node:path';
import { acquireLock, findLockOwner, type LockOwner } from '../state/lock.ts';
import { choosePorts, type PortOptions, type PortPair } from './ports.ts';

export interface ReserveOptions extends Omit<PortOptions, 'isReserved'> {
  /** The user's cache folder, where the reservations are. */
  readonly cache: string;
  readonly signal: AbortSignal;
}

/**
 * Chooses a pair as `choosePorts` does, and keeps every other run of this user from choosing it until this process ends:
 * minutes pass before the engine publishes the ports.
 * @throws {Failure} as `choosePorts`.
 */
export async function reservePorts(wanted: PortPair, options: ReserveOptions): Promise<PortPair> {
  const { cache, signal } = options;
  const command = 'reserve ports';
  const choosing = await acquireLock(join(cache, 'ports/choosing'), { command, wait: { signal } });
  try {
    const pair = await choosePorts(wanted, { ...options, isReserved: toIsReserved(cache) });
    for (const port of [pair.http, pair.https]) {
      // An owner is this process, which has chosen the port before.
      if (!(await findLockOwner(toPath(cache, port)))) await acquireLock(toPath(cache, port), { command });
    }
    return pair;
  } finally {
    await choosing.release();
  }
}

/** The run that has reserved the port; undefined when none has, or this process. */
export async function findReservation(cache: string, port: number): Promise<LockOwner | undefined> {
  const owner = await findLockOwner(toPath(cache, port));
  return owner?.pid === process.pid ? undefined : owner;
}

/** Whether another run has reserved a port. */
export function toIsReserved(cache: string): (port: number) => Promise<boolean> {
  return async (port) => (await findReservation(cache, port)) !== undefined;
}

function toPath(cache: string, port: number): string {
  return join(cache, 'ports', String(port));
}
