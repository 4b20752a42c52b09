import { setTimeout as sleep } from 'node:timers/promises';
import { readLines } from '../../lib/lines.ts';
import { ApiFailure, type ApiReader } from './api-server.ts';

export interface WatchChangesOptions {
  readonly signal: AbortSignal;
  /** Called when objects were created, changed or removed, also once for those that exist at the start. */
  readonly onChange: () => void;
  /** Milliseconds until a watch that the server has ended begins again. */
  readonly interval?: number;
}

/** The beginning of each line that reports no change of an object. */
const bookmark = '{"type":"BOOKMARK"';

/**
 * Watches a collection without reading its objects, until the signal is aborted. A collection that this user may not watch
 * is left out. @throws {ApiFailure} and errors of the connection, once the server does not respond.
 */
export async function watchChanges(
  api: ApiReader,
  path: string,
  { signal, onChange, interval = 500 }: WatchChangesOptions,
): Promise<void> {
  while (!signal.aborted) {
    try {
      // Without a version, the server first reports what exists: nothing that happens between two watches is missed.
      const stream = await api.open(`${path}?watch=true&allowWatchBookmarks=true`, signal);
      for await (const lines of readLines(stream)) {
        if (lines.some((line) => !line.startsWith(bookmark))) onChange();
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ApiFailure && error.status === 403) return;
      throw error;
    }
    await sleep(interval, undefined, { signal });
  }
}
