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
  const toFailure = (cause: unknown) =>
    new Failure(`${folder} cannot be watched`, { cause, hint: 'npm run doctor -- --fix' });
  try {
    const subscription = await watcher.subscribe(
      folder,
      (error, events) => {
        if (error) onError(toFailure(error));
        else onChange(events.map(({ path }) => path));
      },
      { ignore: [...ignore] },
    );
    return () => subscription.unsubscribe();
  } catch (error) {
    throw toFailure(error);
  }
}
