import { join } from 'node:path';
import { $ } from 'zx';
import type { Benchmark } from './bench.ts';

interface Row {
  readonly what: string;
  readonly linesPerSecond: number;
  readonly megabytes: number;
}

/** Measures reading logs from a local stream. */
export const measureLogs: Benchmark = async ({ checkout, runs }) => {
  const script = join(checkout.root, 'scripts/bench-logs.ts');
  const rows: Row[] = [];
  for (let run = 0; run < runs; run += 1) {
    const { stdout } = await $({
      cwd: checkout.root,
      env: checkout.env,
      quiet: true,
    })`node --import tsx ${script} --json`;
    rows.push(...JSON.parse(stdout));
  }
  return [...new Set(rows.map(({ what }) => what))].flatMap((what) => {
    const own = rows.filter((row) => row.what === what);
    return [
      {
        ...{ what, unit: 'lines/s', target: 100_000 },
        values: own.map(({ linesPerSecond }) => linesPerSecond),
      },
      { what: `  its memory`, unit: 'MB', values: own.map(({ megabytes }) => megabytes), target: 150 },
    ] as const;
  });
};
