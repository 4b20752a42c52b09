import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AsyncSubscription, Event } from '@parcel/watcher';
import { Failure } from '../lib/failure.ts';

export interface FileWatchOptions {
  /** Folders that are not even looked into: patterns of picomatch, relative to the folder. */
  readonly ignore: readonly string[];
  /** Absolute paths of what was saved, made or removed, soon after. */
  readonly onChange: (paths: readonly string[]) => void;
  readonly onError: (error: Failure) => void;
}

/** Watches a folder and all below it. Resolves, once it is watched, to what ends that. */
export async function watchFolder(
  folder: string,
  { ignore, onChange, onError }: FileWatchOptions,
): Promise<() => Promise<void>> {
  // Loaded only now: it is a library of machine code, and one command of all needs it.
  const { default: watcher } = await import('@parcel/watcher');
  const subscriptions: Promise<AsyncSubscription>[] = [];
  let isOver = false;

  const toFailure = (cause: unknown) =>
    new Failure(`${folder} cannot be watched`, { cause, hint: 'npm run doctor -- --fix' });

  function subscribe(path: string): Promise<AsyncSubscription> {
    const subscription = watcher.subscribe(path, hear, { ignore: [...ignore] });
    subscriptions.push(subscription);
    return subscription;
  }

  function hear(error: Error | null, events: readonly Event[]): void {
    if (error) onError(toFailure(error));
    onChange(events.map(({ path }) => path));
    for (const { type, path } of events) {
      if (type === 'create') takeIn(path).catch((cause) => onError(toFailure(cause)));
    }
  }

  /**
   * What a new folder had in it before the library watched it, which then hears of none of its folders: a branch that is
   * checked out makes many at once. They are watched anew.
   */
  async function takeIn(path: string): Promise<void> {
    // A file, or gone again.
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
