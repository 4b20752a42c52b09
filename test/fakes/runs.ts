import type { RunReport, RunStep } from '../../src/state/runs.ts';

interface StepOptions extends Partial<Pick<RunStep, 'stage' | 'state' | 'seconds'>> {
  readonly step: string;
  readonly phases?: Readonly<Record<string, number>>;
}

type RunOptions = Partial<Omit<RunReport, 'steps'>> & { readonly steps?: readonly StepOptions[] };

/** A run as it is read from the file of runs. */
export function makeRun({ steps = [], ...more }: RunOptions = {}): RunReport {
  const begun = '2026-11-30T09:00:00.000Z';
  return {
    ...{ id: '01234567-89ab-4cde-8f01-23456789abcd', command: 'up', args: [], trigger: 'npm', begun, pid: 1 },
    ...{ state: 'ended', seconds: 1, exitCode: 0, failure: undefined, ...more },
    steps: steps.map(({ stage = 'Reload', step, state = 'done', seconds, phases = {} }) => ({
      ...{ stage, step, state, seconds, begun },
      phases: Object.entries(phases).map(([name, each]) => ({ name, seconds: each })),
    })),
  };
}
