import type { RunView } from '../../src/dashboard/dashboard-state.ts';
import { toDuration } from '../format.ts';
import { Mark } from './shape.tsx';

/** How many colours there are. Each phase has its own width, name and place in words, too. */
const kinds = 10;

/** The phases of a run, stacked, on a scale that all runs of a list share. */
export function RunBar({
  run,
  names,
  scale,
  median,
}: {
  readonly run: RunView;
  /** All phases of the list, so that each has the same colour in every run. */
  readonly names: readonly string[];
  readonly scale: number;
  readonly median?: number | undefined;
}) {
  const total = run.milliseconds ?? run.phases.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const known = run.phases.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const toWidth = (milliseconds: number) => `${(100 * milliseconds) / Math.max(1, scale)}%`;
  const words = run.phases.map(({ name, milliseconds }) => `${name} ${toDuration(milliseconds)}`).join(', ');
  return (
    <span
      class="bar"
      role="img"
      aria-label={`${toDuration(total)}${words === '' ? '' : `: ${words}`}`}
      title={words}
    >
      {run.phases.map(({ name, milliseconds }) => (
        <span
          key={name}
          class={`phase is-${names.indexOf(name) % kinds}`}
          style={{ width: toWidth(milliseconds) }}
        />
      ))}
      {total > known && <span class="phase is-rest" style={{ width: toWidth(total - known) }} />}
      {median !== undefined && <span class="median" style={{ left: toWidth(median) }} />}
    </span>
  );
}

export function Legend({ phases }: { readonly phases: readonly string[] }) {
  return (
    <ul class="legend">
      {phases.map((name, at) => (
        <li key={name}>
          <span class={`phase is-${at % kinds}`} aria-hidden="true" /> {name}
        </li>
      ))}
      <li>
        <span class="phase is-rest" aria-hidden="true" /> other
      </li>
    </ul>
  );
}

export function RunResult({ run: { exitCode, interrupted, milliseconds } }: { readonly run: RunView }) {
  if (interrupted) return <Mark tone="failed">killed</Mark>;
  if (milliseconds === undefined && exitCode === undefined) return <Mark tone="waiting">running</Mark>;
  if (exitCode === 0) return <Mark tone="good">done</Mark>;
  return <Mark tone="failed">exit {exitCode ?? 'unknown'}</Mark>;
}

/** The names of the phases of runs, in the order in which they first appear. */
export function listPhases(runs: readonly RunView[]): readonly string[] {
  return [...new Set(runs.flatMap(({ phases }) => phases.map(({ name }) => name)))];
}
