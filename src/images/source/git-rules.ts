import { join, posix, relative } from 'node:path';
import { type Ignored, parseIgnoreRules } from '../../lib/ignore-rules.ts';
import { readRules } from './ignore-file.ts';

/** Which files of a source git ignores, by the rules of every folder. */
export interface GitRules {
  /** Reads the rules of a folder; the path is relative to the source's root. */
  read(folder: string): Promise<void>;
  /** Whether the rules that were read ignore a path, relative to the source's root. */
  isIgnored(path: string): boolean;
}

/** Begins with the rules of the source's root. */
export async function openGitRules(root: string): Promise<GitRules> {
  const rules = new Map<string, readonly Ignored[]>();
  async function read(folder: string): Promise<void> {
    const files = folder === '' ? ['.git/info/exclude', '.gitignore'] : ['.gitignore'];
    const texts = await Promise.all(files.map((file) => readRules(join(root, folder, file))));
    const found = texts.filter((text) => text !== undefined);
    if (found.length > 0) {
      rules.set(
        folder,
        found.map((text) => parseIgnoreRules(text, { syntax: 'git' })),
      );
    }
  }
  await read('');
  return {
    read,
    isIgnored(path) {
      let ignored = false;
      for (const folder of listFolders(path)) {
        // The rules of a deeper folder override those above it.
        for (const each of rules.get(folder) ?? []) ignored = each(relative(folder, path), ignored);
      }
      return ignored;
    },
  };
}

/** The folders above a path, the highest first: `''`, `a`, `a/b`. */
export function listFolders(path: string): readonly string[] {
  const folder = posix.dirname(path);
  return folder === '.' || folder === '/' ? [''] : [...listFolders(folder), folder];
}
