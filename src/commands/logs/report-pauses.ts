import { setTimeout as sleep } from 'node:timers/promises';
import { findPaused } from '../../cluster/node-watch.ts';
import { Failure } from '../../lib/failure.ts';
import type { Docker } from '../../tools/docker/docker.ts';

export interface PauseOptions {
  readonly docker: Pick<Docker, 'listContainers'>;
  /** Name of the cluster. */
  readonly cluster: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Milliseconds between two looks. */
  readonly interval?: number;
}

/**
 * Says when a node is paused, and when it no longer is, until the signal is aborted: a log of a paused node only stops,
 * and goes on with the node.
 */
export async function reportPauses({ docker, cluster, say, signal, interval = 3_000 }: PauseOptions) {
  let last: string | undefined;
  while (!signal.aborted) {
    try {
      const paused = await findPaused(docker, cluster, signal);
      if (paused && last === undefined) say(`${paused.message}: waiting for it (${paused.hint})`);
      if (!paused && last !== undefined) say(`${last.replace(/ is paused$/, '')} runs again`);
      last = paused?.message;
    } catch (error) {
      // An engine that does not respond says nothing about the node.
      if (!signal.aborted && !(error instanceof Failure)) throw error;
    }
    await sleep(interval, undefined, { signal }).catch(() => {});
  }
}
