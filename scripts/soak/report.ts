import { toBytes } from '../../src/lib/bytes.ts';
import { toTable } from '../../src/ui/table.ts';
import { type Growth, judgeGrowth, withoutWarmUp } from './growth.ts';
import type { LoadResult } from './load.ts';
import { type Metric, metrics } from './metrics.ts';
import type { Values } from './sample-node.ts';

export interface Sample {
  /** Since the first operation. */
  readonly seconds: number;
  readonly values: Values;
}

/** How often an operation was done, and how long it took. */
export interface OperationCount {
  readonly title: string;
  readonly seconds: readonly number[];
}

export interface SoakResult {
  readonly seed: number;
  readonly seconds: number;
  readonly operations: readonly OperationCount[];
  /** Of single operations; the run went on after each. */
  readonly failures: readonly string[];
  readonly requests: LoadResult;
  /** Why the run ended early; undefined when it did not. */
  readonly error?: string | undefined;
  readonly figures: readonly JudgedFigure[];
  readonly passed: boolean;
}

export interface JudgedFigure extends Pick<Metric, 'name' | 'what' | 'unit'>, Growth {
  /** Of all samples, the warm-up included. */
  readonly lowest: number;
  readonly highest: number;
  readonly samples: number;
}

/** Judges every figure that was measured. The result is that of a whole soak, or of what there is of one. */
export function judgeSoak(
  soak: Omit<SoakResult, 'figures' | 'passed'> & { readonly samples: readonly Sample[] },
): SoakResult {
  const { samples, ...rest } = soak;
  const warm = withoutWarmUp(samples, soak.seconds);
  const figures = metrics.flatMap(({ name, what, unit, tolerance }): JudgedFigure[] => {
    const read = (from: readonly Sample[]) => from.flatMap(({ values }) => values[name] ?? []);
    const all = read(samples);
    if (all.length === 0) return [];
    const range = { lowest: Math.min(...all), highest: Math.max(...all), samples: all.length };
    return [{ name, what, unit, ...judgeGrowth(read(warm), tolerance), ...range }];
  });
  const passed =
    soak.error === undefined &&
    soak.failures.length === 0 &&
    soak.requests.failed.length === 0 &&
    figures.every(({ verdict }) => verdict !== 'grew');
  return { ...rest, figures, passed };
}

/** The printed result. */
export function describeSoak({
  seed,
  seconds,
  operations,
  failures,
  requests,
  error,
  figures,
}: SoakResult): string {
  const rows = figures.map(({ what, unit, medians, lowest, highest, verdict }) => {
    const show = (value: number | undefined) => {
      if (value === undefined) return '';
      return unit === 'bytes' ? toBytes(value) : String(value);
    };
    const [first, , last] = medians;
    return [what, show(first), show(last), `${show(lowest)} - ${show(highest)}`, verdict];
  });
  const missing = metrics.filter(({ name }) => !figures.some((each) => each.name === name));
  const done = operations.map(({ title, seconds }) => `${seconds.length} × ${title}`);
  const { sent, failed, expected } = requests;
  return [
    `seed ${seed}, ${Math.round(seconds / 60)} min: ${done.join(', ')}`,
    `${sent} requests: ${failed.length} failed, and ${expected} while the node was stopped or databases were restored`,
    ...failed.slice(0, 20).map(({ at, url, reason }) => `  ${at} ${url}: ${reason}`),
    ...failures.map((failure) => `failed: ${failure}`),
    '',
    toTable(rows, ['what', 'at first', 'at last', 'range', '']),
    ...(missing.length > 0 ? [`not measured: ${missing.map(({ what }) => what).join(', ')}`] : []),
    ...(error === undefined ? [] : ['', error]),
  ].join('\n');
}
