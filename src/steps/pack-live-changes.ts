import type { LiveTree } from '../images/source/live-tree.ts';
import { type LayerEntry, packLayer } from '../images/store/layer.ts';
import type { FolderChange, FolderChanges } from '../tools/docker/change-folder.ts';

export interface PackedChanges extends FolderChanges {
  /** The paths that are among the changes; the others were removed while they were read. */
  readonly read: readonly string[];
}

/**
 * The changes that make these paths of a container's folder what they are in `tree`: folders first, files that are gone
 * last, and the program's own file after the other files, so that these exist when it loads them. A file keeps the mode
 * that it has in the image unless the source's mode has changed, since the Dockerfile may have set another one.
 */
export async function packLiveChanges(
  paths: readonly string[],
  {
    folder,
    tree,
    base,
    program,
  }: {
    readonly folder: string;
    readonly tree: LiveTree;
    readonly base: LiveTree;
    readonly program: string | undefined;
  },
): Promise<PackedChanges> {
  const entries: LayerEntry[] = [];
  const folders: FolderChange[] = [];
  const files: FolderChange[] = [];
  const removed: FolderChange[] = [];
  const read: string[] = [];
  const ordered = paths.toSorted((a, b) => Number(a === program) - Number(b === program));
  for (const absolute of ordered) {
    const path = absolute.slice(folder.length + 1);
    const entry = tree.get(absolute);
    if (entry === undefined) removed.push({ path, action: 'remove' });
    else if (entry.kind === 'folder') folders.push({ path, action: `folder:${entry.mode.toString(8)}` });
    else if (entry.kind === 'link') {
      entries.push({ path, link: entry.target });
      files.push({ path, action: 'put' });
    } else {
      const content = await entry.read();
      if (content === undefined) continue;
      entries.push({ path, mode: entry.mode, content });
      const before = base.get(absolute);
      const keeps = before?.kind === 'file' && before.mode === entry.mode;
      files.push({ path, action: keeps ? 'keep' : 'put' });
    }
    read.push(absolute);
  }
  // Paths are sorted: a folder comes before what is in it, and is removed after it.
  return { archive: packLayer(entries), changes: [...folders, ...files, ...removed.reverse()], read };
}
