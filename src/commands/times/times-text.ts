import { toAge } from '../../lib/age.ts';
import { toDuration } from '../../lib/duration.ts';
import type { Colors } from '../../ui/style.ts';
import { toSymbol } from '../../ui/style.ts';
import { toTable } from '../../ui/table.ts';
import type { CommandTimes, StepTimes, Times } from '../context/run-times.ts';

export interface TimesTextOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether bars are drawn. */
  readonly isDrawn: boolean;
  /** The command that was asked for. */
  readonly wanted: string | undefined;
}

interface Row extends Times {
  readonly title: string;
}

/** Characters of the longest bar. */
const barWidth = 30;

/** Steps of a command that are shown, the slowest ones. */
const shownSteps = 15;

/** The times of the commands as text: a table for each, with a bar for the last time of each step. */
export function describeTimes(
  commands: readonly CommandTimes[],
  colors: Colors,
  options: TimesTextOptions,
): string {
  if (commands.length === 0)
    return `no run of ${options.wanted ?? 'any command'} is recorded in this checkout`;
  const tables = commands.map((each) => describeCommand(each, colors, options));
  const slower = commands.flatMap((each) => listSlower(each, colors));
  return [...tables, ...(slower.length === 0 ? [] : [slower.join('\n')])].join('\n\n');
}

function describeCommand(times: CommandTimes, colors: Colors, { now, isDrawn }: TimesTextOptions): string {
  const { command, runs, whole, lastBegun } = times;
  const title = `${colors.bold(command)}  ${runs} ${runs === 1 ? 'run' : 'runs'}, the last ${toAge(now - Date.parse(lastBegun))} ago${describeEnd(times)}`;
  const steps = times.steps.toSorted((one, other) => other.last - one.last).slice(0, shownSteps);
  // Those that are shown keep their order.
  const rows = times.steps.filter((step) => steps.includes(step)).flatMap(toRows);
  const longest = Math.max(...rows.map(({ last }) => last));
  const cells = [
    ...(whole ? [toCells({ title: 'whole run', ...whole }, '', colors)] : []),
    ...rows.map((row) => toCells(row, isDrawn ? drawBar(row, longest, colors) : '', colors)),
  ];
  const hidden = times.steps.length - steps.length;
  const head = ['  step', '   last', ' median', 'runs'].map(colors.dim);
  return [
    title,
    ...(cells.length === 0 ? [colors.dim('  no step has ended')] : [toTable(cells, [...head, ''])]),
    ...(hidden === 0 ? [] : [colors.dim(`  and ${hidden} faster ${hidden === 1 ? 'step' : 'steps'}`)]),
  ].join('\n');
}

/** How the last run ended, unless it has succeeded. */
function describeEnd({ lastState, lastExitCode }: CommandTimes): string {
  if (lastState !== 'ended') return `: ${lastState === 'running' ? 'it is running' : 'it was killed'}`;
  return lastExitCode === 0 ? '' : `: exit code ${lastExitCode}`;
}

function toRows({ step, phases, ...times }: StepTimes): readonly Row[] {
  return [
    { title: step, ...times },
    ...phases.map(({ phase, ...each }) => ({ title: `  ${phase}`, ...each })),
  ];
}

function toCells(
  { title, last, median, count, slower }: Row,
  bar: string,
  colors: Colors,
): readonly string[] {
  const time = toDuration(last * 1000).padStart(7);
  const before = median === undefined ? '-' : toDuration(median * 1000);
  return [
    `  ${title}`,
    slower ? colors.yellow(time) : time,
    colors.dim(before.padStart(7)),
    colors.dim(String(count).padStart(4)),
    bar,
  ];
}

function drawBar({ last, slower }: Row, longest: number, colors: Colors): string {
  const bar = '█'.repeat(Math.max(1, Math.round((last / longest) * barWidth)));
  return slower ? colors.yellow(bar) : colors.cyan(bar);
}

function listSlower({ command, whole, steps }: CommandTimes, colors: Colors): readonly string[] {
  const named = [
    ...(whole ? [{ name: command, ...whole }] : []),
    ...steps.flatMap(({ step, phases, ...times }) => [
      { name: `${command}: ${step}`, ...times },
      ...phases.map(({ phase, ...each }) => ({ name: `${command}: ${step}, ${phase}`, ...each })),
    ]),
  ];
  return named
    .filter(({ slower }) => slower)
    .map(({ name, last, median = 0, count }) => {
      const before = `${toDuration(median * 1000)} in the ${count - 1} runs before`;
      return `${toSymbol('pointer', colors)} slower  ${name}: ${toDuration(last * 1000)} instead of ${before}`;
    });
}
