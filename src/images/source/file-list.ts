import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, readlink, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { GitRules } from './git-rules.ts';
import type { Rules } from './source-rules.ts';
import type { SourceState } from './source-state.ts';

interface Walk {
  readonly found: FileList;
  readonly root: string;
  /** Reads the rules of each folder on the way. */
  readonly git?: GitRules;
  /** Receives the folders that are left out. */
  readonly skipped?: string[];
}

/** Adds the files below a folder that are source. */
export async function walk(folder: string, rules: Rules, { found, git, root, skipped }: Walk): Promise<void> {
  /** Whether it is empty or has source. */
  const visit = async (path: string): Promise<boolean> => {
    // A folder may be removed, or be replaced by a file, during the walk.
    const entries = await readdir(join(folder, path), { withFileTypes: true }).catch(absent);
    if (git && entries?.some(({ name }) => name === '.gitignore')) {
      await git.read(relative(root, join(folder, path)));
    }
    const counted = await Promise.all((entries ?? []).map((entry) => visitEntry(path, entry)));
    return counted.length === 0 || counted.includes(true);
  };
  const visitEntry = async (path: string, entry: Dirent): Promise<boolean> => {
    const child = join(path, entry.name);
    const absolute = join(folder, child);
    let counts = rules.has(child);
    if (entry.isDirectory()) {
      if (rules.mayBeBelow(child)) counts = (await visit(child)) && counts;
      else skipped?.push(absolute);
    }
    const text = counts ? await describe(absolute, entry).catch(absent) : undefined;
    if (text === undefined) return false;
    if (entry.isDirectory()) found.addFolder(absolute, text);
    else found.add(absolute, text, rules.isGenerated(child));
    return true;
  };
  await visit('');
}

/** Describes a path by what an image has of it, so without owner and group; undefined for sockets and the like. */
async function describe(path: string, entry: Dirent): Promise<string | undefined> {
  if (entry.isSymbolicLink()) return readlink(path);
  const { size, mtimeMs, mode } = await stat(path);
  const bits = (mode & 0o7777).toString(8);
  if (entry.isDirectory()) return bits;
  // A change of mode does not change the date.
  return entry.isFile() ? `${size}\0${mtimeMs}\0${bits}` : undefined;
}

export type FileList = ReturnType<typeof createFileList>;

/** Files by absolute path, and the hash over all of them and the settings that were added. */
export function createFileList(root: string) {
  const files = new Map<string, string>();
  const folders = new Map<string, string>();
  const generated = new Set<string>();
  const settings: string[] = [];
  return {
    addSetting: (text: string) => void settings.push(text),
    add(path: string, text: string, isGenerated = false): void {
      if (isGenerated && !files.has(path)) generated.add(path);
      if (!isGenerated) generated.delete(path);
      files.set(path, text);
    },
    /** A folder is in the hash by its mode, but a new one is no save. */
    addFolder: (path: string, text: string) => void folders.set(path, text),
    finish(): SourceState {
      const all = [...files, ...[...folders].map(([path, text]) => [`${path}/`, text] as const)];
      const sum = createHash('sha256').update(JSON.stringify(settings));
      // Sorted by code unit, not by locale.
      for (const [path, text] of all.sort(([a], [b]) => (a < b ? -1 : 1))) {
        sum.update(`${relative(root, path)}\0${text}\0`);
      }
      return { hash: sum.digest('hex'), files, generated };
    },
  };
}

/** Turns ENOENT into undefined, since a file may be removed during the walk; any other error is thrown. */
export function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
