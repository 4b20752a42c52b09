import { readlink } from 'node:fs/promises';
import { basename, isAbsolute, join, posix } from 'node:path';
import { isEditorFile } from '../../lib/editor-files.ts';
import { type Ignored, type NamedPaths, toNamedPaths } from '../../lib/ignore-rules.ts';
import type { Patterns } from './build-inputs.ts';

/** Which paths of a context are in an image. Paths are relative to the context. */
export interface CopiedPaths {
  has(path: string): boolean;
  /** Whether a pattern names this path itself, and not only a folder above it. */
  names(path: string): boolean;
  mayBeBelow(folder: string): boolean;
}

/**
 * The paths that patterns name and the ignore file leaves in. `.git` is copied only where a pattern names it, and files
 * that editors create for themselves never count.
 */
export async function readCopiedPaths(
  folder: string,
  patterns: Patterns,
  isIgnored: Ignored,
): Promise<CopiedPaths> {
  const all = patterns && (await Promise.all(patterns.map((each) => followLinks(folder, each)))).flat();
  const everything = all === undefined || all.includes('.');
  const named = toNamedPaths(all ?? []);
  const ofGit = toNamedPaths((all ?? []).filter(isOfGit));
  const namesOf = (path: string): NamedPaths => (isOfGit(path) ? ofGit : named);
  return {
    has: (path) =>
      !isEditorFile(basename(path)) &&
      !isIgnored(path) &&
      ((everything && !isOfGit(path)) || namesOf(path).has(path)),
    names: (path) => namesOf(path).names(path),
    mayBeBelow: (path) =>
      !isIgnored.skips(path) && ((everything && !isOfGit(path)) || namesOf(path).mayBeBelow(path)),
  };
}

function isOfGit(path: string): boolean {
  return path.split('/').includes('.git');
}

/** As many as Linux follows in one path. */
const maxLinks = 40;

/** The pattern, with what it stands for where folders or files in it are links: COPY follows them within the context. */
async function followLinks(folder: string, pattern: string): Promise<readonly string[]> {
  const found = [pattern];
  let at = '';
  let rest = pattern.split('/');
  for (let [part, ...next] = rest; part !== undefined && found.length < maxLinks; [part, ...next] = rest) {
    if (/[*?[\\]/.test(part)) break;
    const path = posix.join(at, part);
    // It is no link, or does not exist.
    const target = await readlink(join(folder, path)).catch(() => undefined);
    rest = next;
    if (target === undefined) {
      at = path;
      continue;
    }
    const resolved = posix.join('/', isAbsolute(target) ? target : posix.join(at, target)).slice(1);
    found.push(path, posix.join(resolved, ...next));
    at = '';
    rest = [...resolved.split('/').filter(Boolean), ...next];
  }
  return found;
}
