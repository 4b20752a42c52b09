import { dirname, join, relative } from 'node:path';
import { isInside } from '../../config/folders.ts';
import type { SourceFolder } from './source-files.ts';
import type { OtherFolder, Rules } from './source-rules.ts';

/** The folders to watch for the source of a Dockerfile. */
export function toWatchedFolders({
  folder,
  real,
  skipped,
  others,
  ofContext,
  special,
}: {
  readonly folder: string;
  readonly real: string;
  readonly skipped: readonly string[];
  readonly others: readonly OtherFolder[];
  readonly ofContext: Rules;
  /** Files of the context that count although nothing copies them. */
  readonly special: readonly string[];
}): readonly SourceFolder[] {
  const inContext = others.filter((each) => isInside(folder, each.folder));
  const isSave = ({ has, isGenerated }: Rules, path: string) => has(path) && !isGenerated(path);
  const isLive = (path: string) =>
    inContext.some((each) => {
      const place = relative(folder, each.folder);
      return isInside(join('/', place), join('/', path)) && isSave(each.rules, relative(place, path));
    });
  const isAbove = (path: string, { folder: place }: OtherFolder) =>
    isInside(path, place) || isInside(place, path);
  const own: SourceFolder = {
    folder: real,
    isSource: (path) => special.includes(join(folder, path)) || isLive(path) || isSave(ofContext, path),
    skipped: [
      ...(ofContext.mayBeBelow('.git') ? [] : ['**/.git/**']),
      ...skipped
        // A name such as `[id]` would be read as a pattern.
        .filter((path) => !/[*?[\]{}()!]/.test(path) && !inContext.some((each) => isAbove(path, each)))
        .map((path) => join(real, relative(folder, path))),
    ],
  };
  // A Dockerfile beside its context is watched alone.
  const outside = [
    ...new Set(special.filter((path) => !isInside(folder, path)).map((path) => dirname(path))),
  ];
  const elsewhere = others.filter((each) => each.real !== undefined && !isInside(real, each.real));
  return [
    own,
    ...outside.map((place) => ({
      folder: place,
      isSource: (path: string) => special.includes(join(place, path)),
      skipped: ['*/**'],
    })),
    ...elsewhere.map(({ real: place = '', rules }) => ({
      folder: place,
      isSource: (path: string) => isSave(rules, path),
      skipped: ['**/.git/**'],
    })),
  ];
}
