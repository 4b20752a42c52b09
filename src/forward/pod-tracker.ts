import type { ApiReader } from '../tools/kubernetes/api-server.ts';
import { isPodReady, type Pod } from '../tools/kubernetes/objects.ts';
import { type ComponentOf, type Pods, type WatchOptions, watchPods } from '../tools/kubernetes/watch-pods.ts';

/** The current pods by one watch, shared by all forwards. */
export interface PodTracker {
  /** The newest pod of a component that is ready and not terminating; undefined while none is. */
  findReady(component: string): Pod | undefined;
  /** Resolves after the next change of any pod. @throws the signal's reason. */
  waitForChange(signal: AbortSignal): Promise<void>;
  /** Resolves when the pod is terminating or removed, or the signal is aborted. */
  waitUntilTerminating(pod: Pod, signal: AbortSignal): Promise<void>;
  /**
   * Watches the pods until the signal is aborted. @throws {ApiFailure} when the cluster does not respond at the start.
   */
  run(): Promise<never>;
}

export function createPodTracker(
  api: ApiReader,
  { componentOf, ...options }: WatchOptions & { readonly componentOf: ComponentOf },
): PodTracker {
  let pods: Pods = new Map();
  const listeners = new Set<() => void>();

  const waitForChange = (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      signal.throwIfAborted();
      const settleOnce = (settle: () => void) => {
        listeners.delete(notify);
        signal.removeEventListener('abort', abort);
        settle();
      };
      const notify = () => settleOnce(resolve);
      const abort = () => settleOnce(() => reject(signal.reason));
      listeners.add(notify);
      signal.addEventListener('abort', abort);
    });

  const isActive = ({ metadata: { name, uid } }: Pod) => {
    const current = pods.get(name)?.metadata;
    return current?.uid === uid && current.deletionTimestamp === undefined;
  };

  return {
    waitForChange,

    async waitUntilTerminating(pod, signal) {
      while (!signal.aborted && isActive(pod)) await waitForChange(signal).catch(() => {});
    },

    findReady: (component) =>
      [...pods.values()]
        .filter((pod) => componentOf(pod) === component && isPodReady(pod))
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
        .toSorted((one, other) => toSortKey(other).localeCompare(toSortKey(one)))
        .at(0),

    async run() {
      for await (pods of watchPods(api, options)) for (const notify of [...listeners]) notify();
      throw options.signal.reason;
    },
  };
}

function toSortKey({ metadata: { creationTimestamp, name } }: Pod): string {
  return `${creationTimestamp} ${name}`;
}
