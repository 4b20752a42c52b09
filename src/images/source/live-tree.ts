import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceState } from './source-state.ts';

/** A path in a live folder, as an image that copies the folder would contain it. */
export type LiveEntry =
  | {
      readonly kind: 'file';
      /** Permission bits. */
      readonly mode: number;
      /** Changes with the content. */
      readonly version: string;
      /** Undefined when it was removed meanwhile. */
      readonly read: () => Promise<Uint8Array | undefined>;
    }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'folder'; readonly mode: number };

/** The content of all live folders by absolute path in the container. */
export type LiveTree = ReadonlyMap<string, LiveEntry>;

/** A live folder: absolute path on this machine, and in the container. */
export interface LivePlace {
  readonly from: string;
  readonly to: string;
}

/** A text that differs whenever a container must get the path again. */
export function describeEntry(entry: LiveEntry | undefined): string {
  switch (entry?.kind) {
    case undefined:
      return 'absent';
    case 'file':
      return `file ${entry.mode.toString(8)} ${entry.version}`;
    case 'link':
      return `link ${entry.target}`;
    case 'folder':
      return `folder ${entry.mode.toString(8)}`;
  }
}

/** The paths whose entries differ between two trees, sorted. */
export function listDifferent(before: LiveTree, now: LiveTree): readonly string[] {
  const paths = new Set([...before.keys(), ...now.keys()]);
  return [...paths].filter((path) => describeEntry(before.get(path)) !== describeEntry(now.get(path))).sort();
}

/**
 * Reads the live folders of a Dockerfile service: the files and links of its source, and the folders that hold them or
 * are empty.
 */
export async function readLiveTree(places: readonly LivePlace[], source: SourceState): Promise<LiveTree> {
  const tree = new Map<string, LiveEntry>();
  for (const { from, to } of places) await walk(from, to);
  return tree;

  /** Whether the folder is empty or has source. */
  async function walk(from: string, to: string): Promise<boolean> {
    // A folder may be removed, or be replaced by a file, during the walk.
    const entries = await readdir(from, { withFileTypes: true }).catch(ignoreAbsent);
    if (!entries) return false;
    let hasSource = entries.length === 0;
    for (const each of entries) {
      const [path, inContainer] = [join(from, each.name), join(to, each.name)];
      const version = source.files.get(path);
      if (each.isDirectory()) {
        const mode = await readMode(path);
        if (mode === undefined || !(await walk(path, inContainer))) continue;
        tree.set(inContainer, { kind: 'folder', mode });
      } else if (version !== undefined) {
        const entry = each.isSymbolicLink() ? await readLink(path) : await toFile(path, version);
        if (entry) tree.set(inContainer, entry);
      } else continue;
      hasSource = true;
    }
    return hasSource;
  }
}

async function toFile(path: string, version: string): Promise<LiveEntry | undefined> {
  const mode = await readMode(path);
  if (mode === undefined) return undefined;
  return { kind: 'file', mode, version, read: () => readFile(path).catch(ignoreAbsent) };
}

async function readLink(path: string): Promise<LiveEntry | undefined> {
  const target = await readlink(path).catch(ignoreAbsent);
  return target === undefined ? undefined : { kind: 'link', target };
}

async function readMode(path: string): Promise<number | undefined> {
  const found = await lstat(path).catch(ignoreAbsent);
  return found && found.mode & 0o7777;
}

/** What was removed or replaced while it was read is part of the next reload. */
function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (!['ENOENT', 'ENOTDIR', 'EISDIR', 'EINVAL'].includes(error.code ?? '')) throw error;
}
