import { toTable } from '../../src/ui/table.ts';

/** A measurement with one value per run. */
export interface Figure {
  readonly what: string;
  readonly unit: 's' | 'ms' | 'lines/s' | 'MB' | 'kB' | 'MB/s' | '%' | 'requests' | '% of a core';
  readonly values: readonly number[];
  /** The maximum, or for rates and shares the minimum. */
  readonly target?: number;
}

/** Minimum, median and maximum. */
export function summarize(values: readonly number[]) {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return { minimum: at(0), median: at(Math.floor((sorted.length - 1) / 2)), maximum: at(sorted.length - 1) };
}

/** The value that 95 of 100 do not exceed. */
export function toPercentile95(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN;
}

/** The printed table, one row per figure. */
export function describeFigures(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, unit, values, target }) => {
    const { minimum, median, maximum } = summarize(values);
    const shown = [minimum, median, maximum].map((value) => toText(value, unit));
    return [what, ...shown, unit, target === undefined ? '' : toTarget(target, unit)];
  });
  return toTable(rows, ['what', 'minimum', 'median', 'maximum', '', 'target']);
}

function toTarget(target: number, unit: Figure['unit']): string {
  return `${unit.endsWith('/s') || unit === '%' ? '≥' : '≤'} ${toText(target, unit)}`;
}

function toText(value: number, unit: Figure['unit']): string {
  if (unit === 's') return value.toFixed(2);
  return unit === 'ms' || unit === '% of a core' ? value.toFixed(1) : Math.round(value).toString();
}

/** Runs `work` once to warm caches, then `runs` times. Resolves to the results in order. */
export async function repeat(
  runs: number,
  work: (run: number) => Promise<number>,
): Promise<readonly number[]> {
  const values: number[] = [];
  for (let run = 0; run <= runs; run += 1) {
    const value = await work(run);
    if (run > 0) values.push(value);
  }
  return values;
}

/** Seconds that `work` takes. */
export async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
