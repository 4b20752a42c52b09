import type { RunReport } from '../../state/runs.ts';

/** How long something took: the last time, and before. */
export interface Times {
  /** Seconds of the last time. */
  readonly last: number;
  /** Seconds: the median of the times before; undefined when there were none. */
  readonly median: number | undefined;
  /** How many times there were, with the last one. */
  readonly count: number;
  /** The last time was slower than the times before by more than these differ among themselves. */
  readonly slower: boolean;
}

export interface StepTimes extends Times {
  readonly stage: string;
  readonly step: string;
  readonly phases: readonly (Times & { readonly phase: string })[];
}

export interface CommandTimes {
  readonly command: string;
  /** How many of its runs are recorded and counted. */
  readonly runs: number;
  /** When the last of these began: ISO 8601. */
  readonly lastBegun: string;
  /** How the last of these ended. */
  readonly lastState: RunReport['state'];
  readonly lastExitCode: number | undefined;
  /** Successful runs that did the same steps as the last successful one; undefined without any. */
  readonly whole: Times | undefined;
  /** In the order in which they first began. */
  readonly steps: readonly StepTimes[];
}

/** How many runs of a command are counted. */
export const countedRuns = 20;

/** Times before the last one that are needed to tell that it was slower. */
const neededBefore = 4;

/** Seconds: a smaller difference is never called slower. */
const smallest = 0.2;

/** The times of each command. `runs` has the newest first. */
export function toTimes(runs: readonly RunReport[]): readonly CommandTimes[] {
  const commands = [...new Set(runs.map(({ command }) => command))];
  return commands.flatMap((command) => {
    const counted = runs.filter((run) => run.command === command).slice(0, countedRuns);
    const [last] = counted;
    if (!last) return [];
    const { begun, state, exitCode } = last;
    return [
      {
        command,
        runs: counted.length,
        ...{ lastBegun: begun, lastState: state, lastExitCode: exitCode },
        whole: toWhole(counted),
        steps: toStepTimes(counted),
      },
    ];
  });
}

/** A run that had nothing to do is compared with such runs only. */
function toWhole(runs: readonly RunReport[]): Times | undefined {
  const succeeded = runs.filter(({ exitCode }) => exitCode === 0);
  const toSteps = ({ steps }: RunReport) =>
    steps
      .map(({ stage, step }) => `${stage}\n${step}`)
      .sort()
      .join('\n');
  const [last] = succeeded;
  const same = succeeded.filter((run) => last && toSteps(run) === toSteps(last));
  return measure(same.flatMap(({ seconds }) => seconds ?? []));
}

function toStepTimes(runs: readonly RunReport[]): readonly StepTimes[] {
  // The oldest first, so that steps keep the order in which they first began.
  const done = runs.toReversed().flatMap(({ steps }) => steps.filter(({ state }) => state === 'done'));
  const groups = groupBy(done, ({ stage, step }) => `${stage}\n${step}`);
  return groups.flatMap((group) => {
    const [first] = group;
    const times = measure(group.flatMap(({ seconds }) => seconds ?? []).reverse());
    if (!first || !times) return [];
    const phases = groupBy(
      group.flatMap((each) => each.phases),
      ({ name }) => name,
    ).flatMap((same) => {
      const measured = measure(same.map(({ seconds }) => seconds).reverse());
      return measured ? [{ phase: same[0]?.name ?? '', ...measured }] : [];
    });
    return [{ stage: first.stage, step: first.step, ...times, phases }];
  });
}

/** Compares the first of the times, which is the last that was taken, with the others. */
function measure([last, ...before]: readonly number[]): Times | undefined {
  if (last === undefined) return undefined;
  const count = before.length + 1;
  if (before.length === 0) return { last, median: undefined, count, slower: false };
  const median = toMedian(before);
  // Median absolute deviation: unlike the standard deviation, it is not made large by the one slow run of before.
  const deviation = toMedian(before.map((each) => Math.abs(each - median)));
  const more = last - median;
  const slower = before.length >= neededBefore && more > 3 * deviation && more > smallest;
  return { last, median, count, slower };
}

function toMedian(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

function groupBy<T>(values: readonly T[], toKey: (value: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(toKey(value));
    if (group) group.push(value);
    else groups.set(toKey(value), [value]);
  }
  return [...groups.values()];
}
