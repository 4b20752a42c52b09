import { toDuration } from '../lib/duration.ts';
import type { StepResult } from '../plan/display.ts';
import type { PlanResult } from '../plan/run-plan.ts';
import { type Colors, toSymbol } from './style.ts';
import { toTable } from './table.ts';

export interface Address {
  readonly name: string;
  readonly url: string;
}

/** How many of the slowest steps are listed, and the minimum duration of a listed step in milliseconds. */
const slowestShown = 5;
const slowestThreshold = 1_000;

/** Result of `up` as text: duration, addresses and slowest steps. */
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

/** Result of `up` as JSON; times in milliseconds. */
export function toUpValue(result: PlanResult, addresses: readonly Address[]): object {
  return { changed: result.steps.some(({ skipped }) => skipped === undefined), ...result, addresses };
}
