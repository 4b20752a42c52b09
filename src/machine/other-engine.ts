import { getFromSocket } from '../tools/docker/engine-socket.ts';
import { listEngineAddresses } from './engine-address.ts';
import type { Host } from './host.ts';

/** Milliseconds for one engine's response. */
const timeout = 3_000;

/**
 * Whether one of these engines, recorded by their IDs, responds at a socket of this machine, whichever engine
 * DOCKER_HOST or the docker context selects: such as Docker Desktop beside dockerd.
 */
export async function findOtherEngine(
  host: Host,
  engines: readonly { readonly id: string }[],
  signal: AbortSignal,
): Promise<boolean> {
  const { DOCKER_HOST: _host, DOCKER_CONTEXT: _context, ...env } = host.env;
  const addresses = await listEngineAddresses({ ...host, env }).catch(() => []);
  const ids = await Promise.all(
    addresses.map(async ({ url }) => {
      const socket = url.replace(/^unix:\/\//, '');
      return getFromSocket<{ ID?: string }>(socket, '/info', { timeout, signal }).then(
        ({ ID }) => ID,
        () => undefined,
      );
    }),
  );
  signal.throwIfAborted();
  return engines.some(({ id }) => ids.includes(id));
}
