import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isEditorFile } from '../../lib/editor-files.ts';

/** A folder with source of a service. */
export interface SourceFolder {
  /** Absolute path without symbolic links. */
  readonly folder: string;
  /** Whether a change of a path relative to `folder` is a save. */
  readonly isSource: (path: string) => boolean;
  /** Folders below it without source, which need no watch: absolute paths, or patterns of picomatch. */
  readonly skipped: readonly string[];
}

/** One entry per folder, with the sources of all; what only some of them skip is watched. */
export function mergeFolders(folders: readonly SourceFolder[]): readonly SourceFolder[] {
  const byFolder = new Map<string, SourceFolder[]>();
  for (const each of folders) byFolder.set(each.folder, [...(byFolder.get(each.folder) ?? []), each]);
  return [...byFolder].map(([folder, all]) => ({
    folder,
    isSource: (path) => all.some(({ isSource }) => isSource(path)),
    skipped: [...new Set(all.flatMap(({ skipped }) => skipped))].filter((path) =>
      all.every(({ skipped }) => skipped.some((other) => path === other || path.startsWith(`${other}/`))),
    ),
  }));
}

/**
 * The source files of a folder, sorted, relative to it: without dependencies, hidden files, and temporary files of
 * editors.
 */
export async function listSourceFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter(({ name }) => !isLeftover(name))
      .map(async (entry) => {
        if (entry.isFile()) return [entry.name];
        if (!entry.isDirectory()) return [];
        const below = await listSourceFiles(join(folder, entry.name));
        return below.map((path) => `${entry.name}/${path}`);
      }),
  );
  // Sorted by code unit, not by locale, since the order is part of a hash.
  return found.flat().sort();
}

/** Stand-ins have no hidden files, no files of an editor, and no copies that tools leave beside a file. */
const isLeftover = (name: string) =>
  name === 'node_modules' || isEditorFile(name) || /^[.#]|\.(tmp|bak|orig|rej)$/.test(name);

/** Whether a path relative to a stand-in's folder is a source file, judged by its name. */
export function isSourcePath(path: string): boolean {
  return !path.split('/').some(isLeftover);
}
