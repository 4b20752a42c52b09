import { exitCodes, Failure } from '../lib/failure.ts';
import { type PortState, probePort } from '../tools/port-probe.ts';
import type { Engine } from './engine.ts';
import type { Host } from './host.ts';

/** The host ports of the ingress, on 127.0.0.1. */
export interface PortPair {
  readonly http: number;
  readonly https: number;
}

export interface PortOptions {
  /** Reserved ports on which nothing listens: those of stopped clusters. */
  readonly taken?: ReadonlySet<number> | undefined;
  /** Lowest port that the engine may bind: see `lowestPortOf`. */
  readonly lowest?: number | undefined;
  /** Whether another run has reserved the port, on which nothing listens yet. */
  readonly isReserved?: ((port: number) => Promise<boolean>) | undefined;
  readonly probe?: (port: number) => Promise<PortState>;
}

const firstOther: PortPair = { http: 8080, https: 8443 };
const tries = 100;

/**
 * The wanted pair where both ports are free, else the next free pair from 8080 and 8443 upward.
 * Where this user may not bind a port, the engine may: it counts as free unless a server accepts connections there.
 * @throws {Failure} exit code 4 when a hundred pairs are taken.
 */
export async function choosePorts(wanted: PortPair, options: PortOptions = {}): Promise<PortPair> {
  if (await isFreePair(wanted, options)) return wanted;
  for (let next = 0; next < tries; next += 1) {
    const pair = { http: firstOther.http + next, https: firstOther.https + next };
    if (await isFreePair(pair, options)) return pair;
  }
  throw new Failure(
    `ports ${wanted.http} and ${wanted.https} are taken, and so are the ${tries} pairs from ${firstOther.http} and ${firstOther.https} on`,
    { hint: 'npm run doctor', exitCode: exitCodes.port },
  );
}

/** The lowest port that an engine may publish: any, unless it runs without root. */
export function lowestPortOf(
  engine: Pick<Engine, 'rootless'> | undefined,
  host: Pick<Host, 'lowestPort'>,
): number {
  return engine?.rootless ? host.lowestPort : 1;
}

/** Whether the engine can publish this port on 127.0.0.1. */
export async function isPortFree(
  port: number,
  { taken, lowest = 0, isReserved, probe = probePort }: PortOptions = {},
): Promise<boolean> {
  if (taken?.has(port) || port < lowest) return false;
  if (await isReserved?.(port)) return false;
  return (await probe(port)) !== 'taken';
}

async function isFreePair({ http, https }: PortPair, options: PortOptions): Promise<boolean> {
  if (http === https) return false;
  const free = await Promise.all([isPortFree(http, options), isPortFree(https, options)]);
  return free.every(Boolean);
}
