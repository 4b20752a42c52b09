import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { posix, relative } from 'node:path';
import type { Readable } from 'node:stream';
import type { Pack } from 'tar-stream';
import { listFiles } from '../../lib/folder.ts';
import { addContent, packTar, readTar } from './tar.ts';

/** One path of a layer. Everything belongs to root and has no date. */
export type LayerEntry =
  | { readonly path: string; readonly mode?: number; readonly content: string | Uint8Array }
  | { readonly path: string; readonly mode?: number; readonly file: string }
  | { readonly path: string; readonly link: string }
  | { readonly path: string; readonly mode: number; readonly folder: true };

const epoch = new Date(0);

/**
 * Packs entries into a layer's tar, sorted, so that the same entries always give the same bytes. Without `hasParents`
 * folders of a layer below keep their mode and owner; missing ones are created when the layer is unpacked.
 */
export function packLayer(
  entries: readonly LayerEntry[],
  { hasParents = true }: { readonly hasParents?: boolean } = {},
): Readable {
  return packTar(async (tar) => {
    const made = new Set<string>();
    for (const entry of [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))) {
      if (hasParents) addParents(tar, entry.path, made);
      await addEntry(tar, entry, made);
    }
  });
}

/** The files of a folder on disk as entries below `prefix`. */
export async function folderEntries(folder: string, prefix = ''): Promise<readonly LayerEntry[]> {
  return (await listFiles(folder)).map(({ path, isExecutable: runnable }) => ({
    path: posix.join(prefix, relative(folder, path)),
    // Git stores only the executable bit of a mode, and the umask changes the others.
    mode: runnable ? 0o755 : 0o644,
    file: path,
  }));
}

/**
 * A root file system's tar without dates and without the paths that start with a prefix in `drop`; documentation,
 * caches, logs and device files are always removed. The order of entries is unchanged.
 */
export function trimRoot(root: Readable, drop: readonly string[] = []): Readable {
  const dropped = [...alwaysDropped, ...drop];
  return packTar(async (tar) => {
    for await (const entry of readTar(root)) {
      const path = entry.header.name.replace(/^\.\//, '');
      const isDevice = entry.header.type === 'character-device' || entry.header.type === 'block-device';
      if (isDevice || path === '' || dropped.some((prefix) => path.startsWith(prefix))) {
        entry.resume();
        continue;
      }
      const { size = 0 } = entry.header;
      const header = { ...entry.header, name: path, size, mtime: epoch, uname: '', gname: '', pax: null };
      if (header.linkname && header.type === 'link') {
        header.linkname = header.linkname.replace(/^\.\//, '');
      }
      if (header.type === 'file' || header.type === 'contiguous-file') {
        await addContent(tar, { ...header, type: 'file' }, entry);
      } else {
        tar.entry(header);
        entry.resume();
      }
    }
  });
}

const alwaysDropped = [
  'usr/share/doc/',
  'usr/share/man/',
  'usr/share/info/',
  'usr/share/locale/',
  'usr/share/lintian/',
  'usr/share/bug/',
  'var/cache/',
  'var/lib/apt/lists/',
  'var/log/',
  'dev/',
];

function addParents(tar: Pack, path: string, made: Set<string>): void {
  const parents = posix.dirname(path).split('/');
  for (let depth = 1; depth <= parents.length; depth += 1) {
    const folder = parents.slice(0, depth).join('/');
    if (folder === '.' || made.has(folder)) continue;
    made.add(folder);
    tar.entry({ name: `${folder}/`, type: 'directory', mode: 0o755, mtime: epoch });
  }
}

async function addEntry(tar: Pack, entry: LayerEntry, made: Set<string>): Promise<void> {
  if ('folder' in entry) {
    made.add(entry.path);
    tar.entry({ name: `${entry.path}/`, type: 'directory', mode: entry.mode, mtime: epoch });
  } else if ('link' in entry) {
    tar.entry({ name: entry.path, type: 'symlink', linkname: entry.link, mtime: epoch });
  } else if ('content' in entry) {
    const content = Buffer.from(entry.content);
    tar.entry({ name: entry.path, mode: entry.mode ?? 0o644, mtime: epoch }, content);
  } else {
    const { size } = await stat(entry.file);
    const header = { name: entry.path, mode: entry.mode ?? 0o755, mtime: epoch, size };
    await addContent(tar, header, createReadStream(entry.file));
  }
}
