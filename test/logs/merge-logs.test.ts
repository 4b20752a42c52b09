import { expect, test } from 'vitest';
import { type LogLine, toLogTime } from '../../src/logs/log-line.ts';
import { mergeLogs } from '../../src/logs/merge-logs.ts';

const line = (second: number): LogLine => ({ time: toLogTime(second * 1000), text: String(second) });

async function* inChunks(...chunks: readonly (readonly number[])[]) {
  for (const chunk of chunks) yield chunk.map(line);
}

async function merge(...logs: readonly ReturnType<typeof inChunks>[]): Promise<readonly string[]> {
  const merged: string[] = [];
  for await (const lines of mergeLogs(logs.map((each, source) => ({ source, lines: each })))) {
    merged.push(...lines.map(({ source, line }) => `${source}:${line.text}`));
  }
  return merged;
}

test('merges logs in time order and preserves the order of each', async () => {
  expect(await merge(inChunks([1, 4], [], [5]), inChunks(), inChunks([2], [2, 3, 6]))).toEqual([
    ...['0:1', '2:2', '2:2', '2:3', '0:4', '0:5', '2:6'],
  ]);
  expect(await merge()).toEqual([]);
});

test('keeps only one chunk of each log in memory', async () => {
  let read = 0;
  async function* endless() {
    for (;;) {
      read++;
      yield Array.from({ length: 100 }, () => line(read));
    }
  }
  const merged = mergeLogs([
    { source: 'one', lines: endless() },
    { source: 'other', lines: endless() },
  ]);
  await merged.next();
  expect(read).toBeLessThan(10);
  await merged.return();
});
