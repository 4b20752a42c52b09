import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../lib/failure.ts';
import type { Nodes } from '../../tools/docker/nodes.ts';

export interface HoldContainersOptions {
  readonly nodes: Pick<Nodes, 'holdStarts'>;
  readonly nodeNames: readonly string[];
  readonly namespace: string;
  readonly names: readonly string[];
  readonly signal: AbortSignal;
  /** Whether something is live of a service, which its containers lack when they start. */
  readonly isLive: (name: string) => boolean;
}

/** Containers that have started and are held until the live files are in them, so that they answer nothing before. */
export interface HeldContainers {
  /** Lets a container go; `id` may have the runtime's prefix. */
  release(id: string): void;
  /** Holds containers until the signal is aborted. */
  run(): Promise<void>;
}

/** Milliseconds until a node is tried again, as after its restart. */
const retryDelay = 1_000;

export function createHeldContainers({
  nodes,
  nodeNames,
  namespace,
  names,
  signal,
  isLive,
}: HoldContainersOptions): HeldContainers {
  const held = new Map<string, () => void>();

  async function watchNode(node: string): Promise<void> {
    while (!signal.aborted) {
      try {
        await nodes.holdStarts(node, { namespace, names, signal, onStart });
      } catch (error) {
        // A node that stops, an engine that does not respond: the files then go in a moment after the start.
        if (!(error instanceof Failure) && !signal.aborted) throw error;
      }
      await sleep(retryDelay, undefined, { signal }).catch(() => {});
    }
  }

  async function onStart(name: string, id: string): Promise<void> {
    if (isLive(name)) await new Promise<void>((resolve) => held.set(id, resolve));
  }

  return {
    release(id) {
      const key = id.replace(/^.*:\/\//, '');
      held.get(key)?.();
      held.delete(key);
    },
    async run() {
      await Promise.all(nodeNames.map(watchNode));
    },
  };
}
