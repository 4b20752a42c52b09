import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toTerminalText } from '../ui/terminal-text.ts';
import type { LogSource } from './log-containers.ts';
import type { LogLine } from './log-line.ts';

export interface LogHistoryOptions {
  /** Holds the folders of all runs. */
  readonly folder: string;
  /** Of this run's folder. */
  readonly name: string;
  /** Bytes after which a file is closed and the next one begun. */
  readonly fileSize?: number;
  /** Bytes of all runs together, after which the oldest files go. */
  readonly total?: number;
}

/** Everything that was read in a run of `logs`, whatever of it was shown: a file for each part, and its followers. */
export interface LogHistory {
  /** Where this run's files are. */
  readonly folder: string;
  /** Resolves when they are written; after `close` nothing is. */
  append(source: LogSource, lines: readonly LogLine[]): Promise<void>;
  close(): Promise<void>;
}

interface File {
  readonly handle: FileHandle;
  readonly path: string;
  number: number;
  size: number;
}

/** Makes nothing before the first line. What is written has no escapes and no secrets, as what is shown. */
export function openLogHistory({
  folder,
  name,
  fileSize = 16 * 1024 * 1024,
  total = 256 * 1024 * 1024,
}: LogHistoryOptions): LogHistory {
  const own = join(folder, name);
  const files = new Map<string, File>();
  /** What was appended last: appends of one part wait for each other, so that lines stay whole and in order. */
  const last = new Map<string, Promise<void>>();
  let isClosed = false;

  async function openFile(part: string, number: number): Promise<File> {
    await mkdir(own, { recursive: true, mode: 0o700 });
    await removeOldest(folder, total - fileSize, new Set([...files.values()].map(({ path }) => path)));
    const path = join(own, `${part}.${number}.log`);
    const file = { handle: await open(path, 'a', 0o600), path, number, size: 0 };
    files.set(part, file);
    return file;
  }

  async function write(source: LogSource, lines: readonly LogLine[]): Promise<void> {
    const { part, pod, container } = source;
    let file = files.get(part) ?? (await openFile(part, 1));
    if (file.size >= fileSize) {
      await file.handle.close();
      file = await openFile(part, file.number + 1);
    }
    const place = ` ${pod}/${container} `;
    const text = lines.map((line) => `${line.time}${place}${line.text.replaceAll('\n', ' ')}\n`).join('');
    const bytes = Buffer.from(toTerminalText(text));
    await file.handle.write(bytes);
    file.size += bytes.length;
  }

  return {
    folder: own,
    async append(source, lines) {
      if (isClosed) return;
      const before = last.get(source.part) ?? Promise.resolve();
      const written = before.catch(() => {}).then(() => write(source, lines));
      last.set(source.part, written);
      await written;
    },
    async close() {
      isClosed = true;
      await Promise.allSettled(last.values());
      await Promise.all([...files.values()].map(({ handle }) => handle.close()));
      files.clear();
    },
  };
}

/** Removes the oldest files of all runs until the rest is no larger than this; never those that are written to. */
async function removeOldest(folder: string, most: number, open: ReadonlySet<string>): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  const found = await Promise.all(
    names
      .filter((name) => name.endsWith('.log'))
      .map(async (name) => {
        const path = join(folder, name);
        const { size, mtimeMs } = await stat(path);
        return { path, size, mtimeMs };
      }),
  );
  let sum = 0;
  for (const { path, size } of found.toSorted((one, other) => other.mtimeMs - one.mtimeMs)) {
    sum += size;
    if (sum > most && !open.has(path)) await rm(path, { force: true });
  }
}
