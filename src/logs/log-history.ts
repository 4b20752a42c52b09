import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../lib/make-folder.ts';
import { toTerminalText } from '../ui/terminal-text.ts';
import type { LogSource } from './log-containers.ts';
import type { LogLine } from './log-line.ts';

export interface LogHistoryOptions {
  /** The folder that contains one folder per run. */
  readonly folder: string;
  /** Name of this run's folder. */
  readonly name: string;
  /** Bytes after which a file is closed and the next one is started. */
  readonly fileSize?: number;
  /** Bytes of all runs together, above which the oldest files are removed. */
  readonly totalSize?: number;
}

/** Everything that one run of `logs` read, including lines that were not shown. Each component has numbered files. */
export interface LogHistory {
  /** Folder of this run's files. */
  readonly folder: string;
  /** Resolves when the lines are written. Lines that arrive after `close` are dropped. */
  append(source: LogSource, lines: readonly LogLine[]): Promise<void>;
  close(): Promise<void>;
}

interface File {
  readonly handle: FileHandle;
  readonly path: string;
  number: number;
  size: number;
}

/** Creates no folder before the first line. As on the terminal, escape sequences and secrets are removed. */
export function openLogHistory({
  folder,
  name,
  fileSize = 16 * 1024 * 1024,
  totalSize = 256 * 1024 * 1024,
}: LogHistoryOptions): LogHistory {
  const runFolder = join(folder, name);
  const files = new Map<string, File>();
  /**
   * The last append by component: appends of one component run one after the other, so that lines stay whole and in
   * order.
   */
  const lastAppend = new Map<string, Promise<void>>();
  let isClosed = false;

  async function openFile(component: string, number: number): Promise<File> {
    await makeFolder(runFolder, 0o700);
    await removeOldest(folder, totalSize - fileSize, new Set([...files.values()].map(({ path }) => path)));
    const path = join(runFolder, `${component}.${number}.log`);
    const file = { handle: await open(path, 'a', 0o600), path, number, size: 0 };
    files.set(component, file);
    return file;
  }

  async function write(source: LogSource, lines: readonly LogLine[]): Promise<void> {
    const { component, pod, container } = source;
    let file = files.get(component) ?? (await openFile(component, 1));
    if (file.size >= fileSize) {
      await file.handle.close();
      file = await openFile(component, file.number + 1);
    }
    const location = ` ${pod}/${container} `;
    const text = lines.map((line) => `${line.time}${location}${line.text.replaceAll('\n', ' ')}\n`).join('');
    const bytes = Buffer.from(toTerminalText(text));
    await file.handle.write(bytes);
    file.size += bytes.length;
  }

  return {
    folder: runFolder,
    async append(source, lines) {
      if (isClosed) return;
      const previousAppend = lastAppend.get(source.component) ?? Promise.resolve();
      const written = previousAppend.catch(() => {}).then(() => write(source, lines));
      lastAppend.set(source.component, written);
      await written;
    },
    async close() {
      isClosed = true;
      await Promise.allSettled(lastAppend.values());
      await Promise.all([...files.values()].map(({ handle }) => handle.close()));
      files.clear();
    },
  };
}

/**
 * Removes the oldest files of all runs until the rest is at most `maxSize` bytes. Files that are open for writing stay.
 */
async function removeOldest(folder: string, maxSize: number, openPaths: ReadonlySet<string>): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  const logFiles = await Promise.all(
    names
      .filter((name) => name.endsWith('.log'))
      .map(async (name) => {
        const path = join(folder, name);
        const { size, mtimeMs } = await stat(path);
        return { path, size, mtimeMs };
      }),
  );
  let usedSize = 0;
  for (const { path, size } of logFiles.toSorted((one, other) => other.mtimeMs - one.mtimeMs)) {
    usedSize += size;
    if (usedSize > maxSize && !openPaths.has(path)) await rm(path, { force: true });
  }
}
