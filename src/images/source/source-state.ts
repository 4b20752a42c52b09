/** Everything that a service's image is built from, at one moment. */
export interface SourceState {
  /** 64 hexadecimal digits that change with any of the files. */
  readonly hash: string;
  /** Absolute path → a text that changes with the file. */
  readonly files: ReadonlyMap<string, string>;
  /** Those of `files` that tools generate: they are part of the image, and a change of them is no save. */
  readonly generated: ReadonlySet<string>;
}

/** The files that were saved or removed between two states, without generated ones. */
export function listSaved(before: SourceState, now: SourceState): readonly string[] {
  const changed = [...now.files].filter(([path, file]) => before.files.get(path) !== file);
  const gone = [...before.files.keys()].filter((path) => !now.files.has(path));
  const paths = [...changed.map(([path]) => path), ...gone];
  return paths.filter((path) => !now.generated.has(path) && !before.generated.has(path));
}
