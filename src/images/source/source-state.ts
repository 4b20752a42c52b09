/** Everything that a service's image is built from, at one moment. */
export interface SourceState {
  /** 64 hexadecimal digits that change with any of the files. */
  readonly hash: string;
  /** Absolute path → a text that changes with the file. */
  readonly files: ReadonlyMap<string, string>;
}

/** The files that were changed, added or removed. */
export function listChanged(before: SourceState, now: SourceState): readonly string[] {
  const changed = [...now.files].filter(([path, file]) => before.files.get(path) !== file);
  const gone = [...before.files.keys()].filter((path) => !now.files.has(path));
  return [...changed.map(([path]) => path), ...gone];
}
