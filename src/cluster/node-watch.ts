import { exitCodes, Failure } from '../lib/failure.ts';
import { createWatch, type Watch } from '../lib/watchdog.ts';
import type { Docker } from '../tools/docker/docker.ts';
import { createEngineLook, type EngineLookOptions } from '../tools/docker/engine-look.ts';
import { listNodeContainers } from './ownership.ts';

export interface NodeWatchOptions extends EngineLookOptions {
  /** Milliseconds between two looks. */
  readonly interval?: number;
}

/**
 * Ends calls to a cluster as soon as one of its nodes is paused, or the engine has hung: what runs in a paused node does
 * not respond, and its connections stay open, so that such a call would never end. Calls to a node that was stopped or
 * killed end by themselves.
 */
export function createNodeWatch(
  docker: Pick<Docker, 'listContainers'>,
  cluster: string,
  { interval = 2_000, ...options }: NodeWatchOptions = {},
): Watch {
  return createWatch(() => {
    const look = createEngineLook((signal) => findPaused(docker, cluster, signal), options);
    return async () => {
      const paused = await look();
      if (paused) throw paused;
    };
  }, interval);
}

/** The failure of calls to a paused node of the cluster; undefined while none is paused. */
export async function findPaused(
  docker: Pick<Docker, 'listContainers'>,
  cluster: string,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const nodes = await listNodeContainers(docker, cluster, signal);
  const paused = nodes.find(({ state }) => state === 'paused');
  return paused && toPausedFailure(paused.name);
}

function toPausedFailure(node: string): Failure {
  return new Failure(`node ${node} is paused`, {
    hint: `docker unpause ${node}, or npm run up`,
    exitCode: exitCodes.cluster,
  });
}
