import type { ApiReader } from '../tools/kubernetes/api-server.ts';
import { isPodReady, type Pod } from '../tools/kubernetes/objects.ts';
import type { ComponentOf } from '../tools/kubernetes/watch-pods.ts';
import { type Pods, type WatchOptions, watchPods } from '../tools/kubernetes/watch-pods.ts';

/** The pods as the watch last told of them, for several who ask. */
export interface PodTracker {
  /** The newest pod of a part that is ready and stays; undefined while there is none. */
  findReady(part: string): Pod | undefined;
  /** Resolves after the next change of any pod. @throws the signal's reason. */
  changed(signal: AbortSignal): Promise<void>;
  /** Resolves when the pod is told to end, or is gone, or the signal is aborted. */
  ending(pod: Pod, signal: AbortSignal): Promise<void>;
  /** Keeps the board, until the signal is aborted. @throws {ApiFailure} when the cluster does not answer at first. */
  keep(): Promise<never>;
}

export function createPodTracker(
  api: ApiReader,
  { partOf, ...options }: WatchOptions & { readonly partOf: ComponentOf },
): PodTracker {
  let pods: Pods = new Map();
  const waiting = new Set<() => void>();

  const changed = (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      signal.throwIfAborted();
      const end = (settle: () => void) => {
        waiting.delete(wake);
        signal.removeEventListener('abort', abort);
        settle();
      };
      const wake = () => end(resolve);
      const abort = () => end(() => reject(signal.reason));
      waiting.add(wake);
      signal.addEventListener('abort', abort);
    });

  const stays = ({ metadata: { name, uid } }: Pod) => {
    const now = pods.get(name)?.metadata;
    return now?.uid === uid && now.deletionTimestamp === undefined;
  };

  return {
    changed,

    async ending(pod, signal) {
      while (!signal.aborted && stays(pod)) await changed(signal).catch(() => {});
    },

    findReady: (part) =>
      [...pods.values()]
        .filter((pod) => partOf(pod) === part && isPodReady(pod))
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
        .toSorted((one, other) => toOrder(other).localeCompare(toOrder(one)))
        .at(0),

    async keep() {
      for await (pods of watchPods(api, options)) for (const wake of [...waiting]) wake();
      throw options.signal.reason;
    },
  };
}

function toOrder({ metadata: { creationTimestamp, name } }: Pod): string {
  return `${creationTimestamp} ${name}`;
}
