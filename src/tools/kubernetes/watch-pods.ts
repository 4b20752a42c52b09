import { setTimeout as sleep } from 'node:timers/promises';
import { readLines } from '../../lib/lines.ts';
import { ApiFailure, type ApiReader, isConnectionLost } from './api-server.ts';
import type { Pod } from './objects.ts';

export interface WatchOptions {
  readonly namespace: string;
  readonly signal: AbortSignal;
  /**
   * Called when the cluster stops responding after it had responded, and again for another reason, as when it was
   * removed; the watch retries by itself.
   */
  readonly onSilence?: (reason: ApiFailure) => void;
  /** Milliseconds between two attempts to reach a cluster that does not respond. */
  readonly interval?: number;
}

/** The pods of a namespace by name. */
export type Pods = ReadonlyMap<string, Pod>;

/** The component of the platform that a pod belongs to; undefined for pods that are left out. */
export type ComponentOf = (pod: Pod) => string | undefined;

/** The current pods of a namespace. @throws {ApiFailure} */
export async function listPods(api: ApiReader, namespace: string, signal: AbortSignal): Promise<Pods> {
  const { items } = await api.get<PodList>(toPath(namespace), signal);
  return new Map(items.map((pod) => [pod.metadata.name, pod]));
}

/** The current state of one pod. @throws {ApiFailure} with status 404 when it does not exist. */
export async function getPod(
  api: ApiReader,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<Pod> {
  return api.get<Pod>(`${toPath(namespace)}/${name}`, signal);
}

interface PodList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Pod[];
}

interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: Pod & { readonly metadata: { readonly resourceVersion: string } };
}

/** What the API server stores at most, as characters of JSON. */
const largestObject = 4 * 1024 * 1024;

/**
 * The pods of a namespace, and the same map again after every change, through restarts of the API server,
 * until the signal is aborted. @throws {ApiFailure} only before the first response, and the signal's reason.
 */
export async function* watchPods(api: ApiReader, options: WatchOptions): AsyncGenerator<Pods, never> {
  const { namespace, signal, onSilence, interval = 1_000 } = options;
  const pods = new Map<string, Pod>();
  let isKnown = false;
  let silence: string | undefined;
  for (;;) {
    try {
      const list = await api.get<PodList>(toPath(namespace), signal);
      isKnown = true;
      silence = undefined;
      pods.clear();
      for (const pod of list.items) pods.set(pod.metadata.name, pod);
      yield pods;
      yield* watchFrom(list.metadata.resourceVersion);
    } catch (error) {
      signal.throwIfAborted();
      if (!isKnown || !isConnectionLost(error)) throw error;
      if (error instanceof ApiFailure && error.message !== silence) {
        silence = error.message;
        onSilence?.(error);
      }
    }
    await sleep(interval, undefined, { signal });
  }

  /** Ends when the server ends the watch, which it does every few minutes, or no longer has this version. */
  async function* watchFrom(version: string): AsyncGenerator<Pods> {
    const query = new URLSearchParams({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: version,
    });
    const stream = await api.open(`${toPath(namespace)}?${query}`, signal);
    for await (const lines of readLines(stream, { longest: largestObject })) {
      let isChanged = false;
      for (const line of lines) {
        const { type, object }: Change = JSON.parse(line);
        if (type === 'ERROR') return;
        if (type === 'BOOKMARK') continue;
        if (type === 'DELETED') pods.delete(object.metadata.name);
        else pods.set(object.metadata.name, object);
        isChanged = true;
      }
      if (isChanged) yield pods;
    }
  }
}

function toPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}
