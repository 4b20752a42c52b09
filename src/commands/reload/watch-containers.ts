import { setTimeout as sleep } from 'node:timers/promises';
import { findRunningContainer } from '../../steps/put-live-files.ts';
import { ApiFailure, type ApiReader } from '../../tools/kubernetes/api-server.ts';
import { findComponent } from '../../tools/kubernetes/objects.ts';
import { watchPods } from '../../tools/kubernetes/watch-pods.ts';

export interface WatchContainersOptions {
  readonly namespace: string;
  readonly names: readonly string[];
  readonly signal: AbortSignal;
  /** Called when containers of a service run that did not run before, and when other pods of it have gone. */
  readonly onChange: (name: string) => void;
  /** Called when the cluster stops responding. */
  readonly onSilence: (message: string) => void;
  /** Milliseconds between two attempts to reach a cluster that does not respond. */
  readonly interval?: number;
}

/** Watches the containers of services until the signal is aborted, through restarts of the API server. */
export async function watchContainers(
  api: ApiReader,
  { namespace, names, signal, onChange, onSilence, interval = 1_000 }: WatchContainersOptions,
): Promise<void> {
  const known = new Map<string, string>();
  while (!signal.aborted) {
    try {
      const options = {
        namespace,
        signal,
        interval,
        onSilence: ({ message }: ApiFailure) => onSilence(message),
      };
      for await (const pods of watchPods(api, options)) {
        for (const name of names) {
          const own = [...pods.values()].filter((pod) => findComponent(pod) === name);
          // A rollout ends with the removal of the last old pod: until then nothing can be put into the new ones.
          const state = own
            .map((pod) => `${pod.metadata.uid} ${findRunningContainer(pod, name) ?? ''}`)
            .sort();
          const text = state.join('\n');
          if (known.get(name) === text) continue;
          const isFirst = !known.has(name);
          known.set(name, text);
          if (!isFirst) onChange(name);
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiFailure)) throw error;
      await sleep(interval, undefined, { signal }).catch(() => {});
    }
  }
}
