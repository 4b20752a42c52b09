import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchFolder } from '../../tools/file-watch.ts';

export interface WatchedFolder {
  /** Absolute. */
  readonly folder: string;
  /** Whether a path, relative to it, is somebody's work. */
  readonly isSource: (path: string) => boolean;
}

/** What was saved together. */
export interface Saved {
  /** Absolute. None when only something else was written, beside which a save may have been missed. */
  readonly paths: ReadonlySet<string>;
  /** Of the first of them, on the monotonic clock. */
  readonly since: number;
}

export interface WatchSourcesOptions {
  readonly signal: AbortSignal;
  /** Called when everything is watched. */
  readonly onWatching?: () => void;
}

/** Never looked into: what lies there is nobody's work, and there is much of it. */
const ignoredPaths = ['**/node_modules/**', '**/.git/**', '**/.gradle/**'];

/** Milliseconds without a further save after which a batch is over: an editor is faster than a change of branch. */
const minQuiet = 10;
const maxQuiet = 50;
const quietPerFile = 2;

/**
 * What is written by an editor before it gives the file its name is the first that the watch tells of, and now and then
 * all: the library reads its list of events and then empties it, and what comes between is in neither (its Watcher.cc,
 * triggerCallbacks). So all that is written is a reason to look, though seldom enough that a log costs little.
 */
const lookPauses = { least: minQuiet, perLook: 10 };

/** Batches of what is saved below the folders, until the signal is aborted. @throws {Failure} when they cannot be watched. */
export async function* watchSources(
  folders: readonly WatchedFolder[],
  { signal, onWatching }: WatchSourcesOptions,
): AsyncGenerator<Saved, void> {
  let paths = new Set<string>();
  let since = 0;
  let last = 0;
  let lookTimer: NodeJS.Timeout | undefined;
  let isLookDue = false;
  let pause = lookPauses.least;
  let failure: Error | undefined;
  let wake = () => {};

  const subscribed = await Promise.all(
    folders.map(({ folder, isSource }) =>
      watchFolder(folder, {
        ignore: ignoredPaths,
        onChange(changed) {
          const sources = changed.filter((path) => isSource(relative(folder, path)));
          if (sources.length === 0) {
            lookTimer ??= setTimeout(look, pause);
            return;
          }
          last = performance.now();
          if (paths.size === 0) since = last;
          for (const path of sources) paths.add(path);
          wake();
        },
        onError(error) {
          failure = error;
          wake();
        },
      }),
    ),
  );
  function look(): void {
    lookTimer = undefined;
    isLookDue = true;
    wake();
  }

  const abort = () => wake();
  signal.addEventListener('abort', abort);
  try {
    onWatching?.();
    for (;;) {
      while (paths.size === 0 && !isLookDue && !failure && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (failure) throw failure;
      if (signal.aborted) return;
      for (let rest = restOf(); rest > 0; rest = restOf()) await sleep(rest);
      const saved = { paths, since: paths.size > 0 ? since : performance.now() };
      paths = new Set();
      isLookDue = false;
      const begun = performance.now();
      yield saved;
      pause = Math.max(lookPauses.least, lookPauses.perLook * (performance.now() - begun));
    }
  } finally {
    clearTimeout(lookTimer);
    signal.removeEventListener('abort', abort);
    await Promise.all(subscribed.map((unsubscribe) => unsubscribe()));
  }

  function restOf(): number {
    const quiet = Math.min(maxQuiet, minQuiet + quietPerFile * (paths.size - 1));
    return last + quiet - performance.now();
  }
}
