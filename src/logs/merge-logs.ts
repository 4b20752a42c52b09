import type { LogLine } from './log-line.ts';

/** Number of lines per batch. */
const batchSize = 500;

interface LogReader<T> {
  readonly source: T;
  readonly lines: AsyncIterator<readonly LogLine[]>;
  /** Lines that were read; those from `nextIndex` on are not merged yet. */
  buffered: readonly LogLine[];
  nextIndex: number;
}

/** Merges several logs, each in time order, in time order. Keeps only one chunk of each in memory. */
export async function* mergeLogs<T>(
  logs: readonly { readonly source: T; readonly lines: AsyncIterable<readonly LogLine[]> }[],
): AsyncGenerator<readonly { readonly source: T; readonly line: LogLine }[], void> {
  const all = logs.map(({ source, lines }): LogReader<T> => {
    return { source, lines: lines[Symbol.asyncIterator](), buffered: [], nextIndex: 0 };
  });
  try {
    let readers = await refill(all);
    let merged: { source: T; line: LogLine }[] = [];
    while (readers.length > 0) {
      const earliest = findEarliest(readers);
      if (!earliest) break;
      merged.push({ source: earliest.reader.source, line: earliest.line });
      earliest.reader.nextIndex++;
      if (merged.length >= batchSize) {
        yield merged;
        merged = [];
      }
      if (earliest.reader.nextIndex >= earliest.reader.buffered.length) readers = await refill(readers);
    }
    if (merged.length > 0) yield merged;
  } finally {
    await Promise.all(all.map(({ lines }) => lines.return?.()));
  }
}

function findEarliest<T>(
  readers: readonly LogReader<T>[],
): { readonly reader: LogReader<T>; readonly line: LogLine } | undefined {
  let earliest: { reader: LogReader<T>; line: LogLine } | undefined;
  for (const reader of readers) {
    const line = reader.buffered[reader.nextIndex];
    if (line && (!earliest || line.time < earliest.line.time)) earliest = { reader, line };
  }
  return earliest;
}

/** Reads on where the buffer is empty, and returns the readers that have a line. */
async function refill<T>(readers: readonly LogReader<T>[]): Promise<readonly LogReader<T>[]> {
  const filled = await Promise.all(
    readers.map(async (reader) => {
      while (reader.nextIndex >= reader.buffered.length) {
        const { value, done } = await reader.lines.next();
        if (done) return undefined;
        reader.buffered = value;
        reader.nextIndex = 0;
      }
      return reader;
    }),
  );
  return filled.filter((reader) => reader !== undefined);
}
