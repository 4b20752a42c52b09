import type { LogLine } from './log-line.ts';

/** Lines that are given on at a time. */
const batch = 500;

interface Head<T> {
  readonly source: T;
  readonly lines: AsyncIterator<readonly LogLine[]>;
  /** Read, and not yet given on from `at` on. */
  waiting: readonly LogLine[];
  at: number;
}

/** The lines of several logs, each of them in the order of time, together in the order of time. Holds a chunk of each. */
export async function* mergeLogs<T>(
  logs: readonly { readonly source: T; readonly lines: AsyncIterable<readonly LogLine[]> }[],
): AsyncGenerator<readonly { readonly source: T; readonly line: LogLine }[], void> {
  const all = logs.map(({ source, lines }): Head<T> => {
    return { source, lines: lines[Symbol.asyncIterator](), waiting: [], at: 0 };
  });
  try {
    let heads = await refill(all);
    let merged: { source: T; line: LogLine }[] = [];
    while (heads.length > 0) {
      const first = findFirst(heads);
      if (!first) break;
      merged.push({ source: first.head.source, line: first.line });
      first.head.at++;
      if (merged.length >= batch) {
        yield merged;
        merged = [];
      }
      if (first.head.at >= first.head.waiting.length) heads = await refill(heads);
    }
    if (merged.length > 0) yield merged;
  } finally {
    await Promise.all(all.map(({ lines }) => lines.return?.()));
  }
}

function findFirst<T>(
  heads: readonly Head<T>[],
): { readonly head: Head<T>; readonly line: LogLine } | undefined {
  let first: { head: Head<T>; line: LogLine } | undefined;
  for (const head of heads) {
    const line = head.waiting[head.at];
    if (line && (!first || line.time < first.line.time)) first = { head, line };
  }
  return first;
}

/** Those that have a line to give, after more was read of each that had none. */
async function refill<T>(heads: readonly Head<T>[]): Promise<readonly Head<T>[]> {
  const filled = await Promise.all(
    heads.map(async (head) => {
      while (head.at >= head.waiting.length) {
        const { value, done } = await head.lines.next();
        if (done) return undefined;
        head.waiting = value;
        head.at = 0;
      }
      return head;
    }),
  );
  return filled.filter((head) => head !== undefined);
}
