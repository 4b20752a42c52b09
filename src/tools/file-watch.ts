import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AsyncSubscription, Event } from '@parcel/watcher';
import { Failure } from '../lib/failure.ts';

export interface FileWatchOptions {
  /** Folders that are not watched: patterns of picomatch, relative to the folder. */
  readonly ignore: readonly string[];
  /** Called with the absolute paths of files that were written, created or removed. */
  readonly onChange: (paths: readonly string[]) => void;
  readonly onError: (error: Failure) => void;
}

/** Watches a folder and all below it. Resolves, once it is watched, to a function that ends the watch. */
export async function watchFolder(
  folder: string,
  { ignore, onChange, onError }: FileWatchOptions,
): Promise<() => Promise<void>> {
  // Imported here because it is a native library that only one command needs.
  const { default: watcher } = await import('@parcel/watcher');
  const subscriptions: Promise<AsyncSubscription>[] = [];
  let isOver = false;

  const toFailure = (cause: unknown) =>
    new Failure(`${folder} cannot be watched`, { cause, hint: 'npm run doctor -- --fix' });

  function subscribe(path: string): Promise<AsyncSubscription> {
    const subscription = watcher.subscribe(path, onEvents, { ignore: [...ignore] });
    subscriptions.push(subscription);
    return subscription;
  }

  function onEvents(error: Error | null, events: readonly Event[]): void {
    if (error) onError(toFailure(error));
    onChange(events.map(({ path }) => path));
    for (const { type, path } of events) {
      if (type === 'create') addContent(path).catch((cause) => onError(toFailure(cause)));
    }
  }

  /**
   * Reports what a new folder contains already, and subscribes to it again if it has subfolders: the library misses those
   * that existed before it watched the folder, as when a branch is checked out.
   */
  async function addContent(path: string): Promise<void> {
    // It is a file, or was removed meanwhile.
    const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
    if (entries.length === 0 || isOver) return;
    if (entries.some((entry) => entry.isDirectory())) await subscribe(path);
    onChange(entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)));
  }

  try {
    await subscribe(folder);
  } catch (error) {
    throw toFailure(error);
  }
  return async () => {
    isOver = true;
    const begun = await Promise.allSettled(subscriptions);
    for (const each of begun) if (each.status === 'fulfilled') await each.value.unsubscribe();
  };
}
