import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchFolder } from '../../tools/file-watch.ts';
import type { SourceFolder } from './source-files.ts';

/** Files that were saved together. */
export interface Saved {
  /** Absolute paths; empty when only other files were written, whose events may hide a missed save. */
  readonly paths: ReadonlySet<string>;
  /** Time of the first save in milliseconds of the monotonic clock. */
  readonly since: number;
}

export interface WatchSourcesOptions {
  readonly signal: AbortSignal;
  /** Called once all folders are watched. */
  readonly onWatching?: () => void;
}

/** Milliseconds without another save after which a batch ends: many files, as after `git checkout`, take longer. */
const minQuiet = 10;
const maxQuiet = 50;
const quietPerFile = 2;

/**
 * Now and then the library reports an editor's temporary file but not the rename to its final name: it reads its list of
 * events and then clears it, and loses events in between (triggerCallbacks in its Watcher.cc). So any write makes the
 * caller compare the sources, at intervals that keep the cost low while a log file grows. Milliseconds.
 */
const lookPauses = { least: minQuiet, perLook: 10 };

/** Yields batches of saved files until the signal is aborted. @throws {Failure} when the folders cannot be watched. */
export async function* watchSources(
  folders: readonly SourceFolder[],
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
    folders.map(({ folder, isSource, skipped }) =>
      watchFolder(folder, {
        ignore: skipped,
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
      for (let rest = remainingQuiet(); rest > 0; rest = remainingQuiet()) await sleep(rest);
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

  function remainingQuiet(): number {
    const quiet = Math.min(maxQuiet, minQuiet + quietPerFile * (paths.size - 1));
    return last + quiet - performance.now();
  }
}
