import { toDuration } from '../lib/duration.ts';
import type { StepResult } from '../plan/display.ts';
import type { PlanResult } from '../plan/run-plan.ts';
import { type Colors, toSymbol } from './style.ts';
import { toTable } from './table.ts';

export interface Address {
  readonly name: string;
  readonly url: string;
}

/** Steps in the list of the slowest, and the least milliseconds that put one there. */
const slowestShown = 5;
const slowestThreshold = 1_000;

/** The end of an `up`: what answers where, how long it took and where the time went. */
export function describeUp(result: PlanResult, addresses: readonly Address[], colors: Colors): string {
  const applied = result.steps.filter(({ skipped }) => skipped === undefined);
  const what = applied.length === 0 ? 'up to date' : 'ready';
  const slowest = applied
    .filter(({ milliseconds }) => milliseconds >= slowestThreshold)
    .toSorted((one, other) => other.milliseconds - one.milliseconds)
    .slice(0, slowestShown);
  return [
    `${toSymbol('done', colors)} ${colors.bold(what)} in ${toDuration(result.milliseconds)}`,
    ...toLines(addresses.map(({ name, url }) => [name, colors.cyan(url)])),
    ...(slowest.length === 0 ? [] : ['', colors.dim('slowest steps'), ...toLines(slowest.map(toRow))]),
  ].join('\n');
}

function toRow({ step, milliseconds }: StepResult): readonly string[] {
  return [toDuration(milliseconds), step];
}

function toLines(rows: readonly (readonly string[])[]): readonly string[] {
  return rows.length === 0
    ? []
    : toTable(rows)
        .split('\n')
        .map((line) => `  ${line}`);
}

/** The same for a program: times in milliseconds. */
export function toUpValue(result: PlanResult, addresses: readonly Address[]): object {
  return { changed: result.steps.some(({ skipped }) => skipped === undefined), ...result, addresses };
}
