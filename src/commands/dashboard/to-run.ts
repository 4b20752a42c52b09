import { toCommandLine } from '../../cli/command-line.ts';
import type { RunView, StepView } from '../../dashboard/dashboard-state.ts';
import type { RunReport, RunStep } from '../../state/runs.ts';

/** A recorded run as the page shows it. IDs begin with the time, so that their order is that of the runs. */
export function toRun(run: RunReport, services: readonly string[]): RunView {
  const { begun, seconds, exitCode, state, trigger, failure } = run;
  return {
    id: `${begun} ${run.id}`,
    // Without what only changes its output, so that runs of the same kind can be compared.
    command: toCommandLine(
      run.command,
      run.args.filter((arg) => arg !== '--json'),
    ),
    ...(trigger === 'terminal' || trigger === 'npm' ? {} : { trigger }),
    services: run.args.filter((arg) => services.includes(arg)),
    start: begun,
    ...(seconds === undefined ? {} : { milliseconds: Math.round(seconds * 1000) }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(state === 'interrupted' || exitCode === 130 || exitCode === 143 ? { interrupted: true } : {}),
    ...(failure === undefined ? {} : { failure: failure.message }),
    phases: toPhases(run.steps),
    steps: run.steps.map(toStep),
  };
}

function toStep({ stage, step, seconds, state }: RunStep): StepView {
  return {
    ...{ stage, step, state },
    ...(seconds === undefined ? {} : { milliseconds: Math.round(seconds * 1000) }),
  };
}

/** The phases of the longest step, which the others run beside; else how long each stage took. */
function toPhases(steps: readonly RunStep[]): RunView['phases'] {
  const withPhases = steps
    .filter(({ phases }) => phases.length > 0)
    .toSorted((one, other) => (other.seconds ?? 0) - (one.seconds ?? 0));
  const [longest] = withPhases;
  if (longest) return longest.phases.map(({ name, seconds }) => toPhase(name, seconds));
  const stages = [...new Set(steps.map(({ stage }) => stage))];
  return stages.map((stage) => {
    const own = steps.filter((step) => step.stage === stage);
    const begins = own.map(({ begun }) => Date.parse(begun));
    const ends = own.map(({ begun, seconds = 0 }) => Date.parse(begun) + seconds * 1000);
    return toPhase(stage, (Math.max(...ends) - Math.min(...begins)) / 1000);
  });
}

const toPhase = (name: string, seconds: number) => ({ name, milliseconds: Math.round(seconds * 1000) });
