/** All that a service's image is built from, as it was at one moment. */
export interface SourceState {
  /** 64 hexadecimal digits that are others when any of it is. */
  readonly hash: string;
  /** By absolute path: what is another text when that file is another one. */
  readonly files: ReadonlyMap<string, string>;
}

/** The files that are others than they were, are new or are gone. */
export function listChanged(before: SourceState, now: SourceState): readonly string[] {
  const changed = [...now.files].filter(([path, file]) => before.files.get(path) !== file);
  const gone = [...before.files.keys()].filter((path) => !now.files.has(path));
  return [...changed.map(([path]) => path), ...gone];
}
