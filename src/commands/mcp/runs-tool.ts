import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { exitCodes } from '../../lib/failure.ts';
import { listRuns, type RunReport } from '../../state/runs.ts';
import { secondsInput } from './inputs.ts';
import { fitItems } from './limits.ts';
import { defineTool, findFailure, type Tool, type ToolDeps, type ToolFailure } from './tool.ts';

/** Runs that are returned when none is named. */
const shownRuns = 10;

/** Milliseconds between two looks at the record. */
const interval = 250;

/** `runs`: the runs of this checkout, whoever has started them; it can wait for one to end. */
export function createRunsTool({ runs: own, limit }: ToolDeps, paths: { readonly state: string }): Tool {
  return defineTool({
    name: 'runs',
    description:
      'The last runs of up, reload, down and db: steps, seconds, exit code. With run, that one in full; seconds waits for its end.',
    input: z.strictObject({
      run: z
        .string()
        .regex(/^[0-9a-f-]{36}$/)
        .optional(),
      ...secondsInput,
    }),
    output: z.looseObject({
      runs: z.array(z.looseObject({ run: z.string(), state: z.string() })),
    }),
    async run({ run: id, seconds }, signal) {
      if (id === undefined) {
        const all = (await listRuns(paths)).map(toSummary);
        const build = (runs: readonly ReturnType<typeof toSummary>[], leftOut: number) => ({
          runs,
          ...(leftOut > 0 && { leftOut }),
        });
        return { value: fitItems(all, build, { limit: shownRuns }) };
      }
      const until = performance.now() + Math.min(limit, (seconds ?? 0) * 1000);
      for (;;) {
        const found = (await listRuns(paths)).find((each) => each.id === id);
        const outcome = own.find(id)?.outcome;
        const isOver = outcome !== undefined || (found !== undefined && found.state !== 'running');
        if (isOver || performance.now() >= until || (!found && !own.find(id))) {
          // A run that is refused before it begins, as for another one's lock, is not recorded.
          const failure: ToolFailure | undefined = outcome && findFailure(outcome);
          if (failure && !found) return { failure };
          if (found) return { value: toWhole(found, failure) };
          if (own.find(id)) return { value: { runs: [{ run: id, command: '', state: 'running' }] } };
          return {
            failure: {
              exitCode: exitCodes.usage,
              failed: `run ${id} is not recorded`,
              fix: 'call runs without run',
            },
          };
        }
        await sleep(interval, undefined, { signal });
      }
    },
  });
}

function toSummary({ steps, ...run }: RunReport) {
  const failed = steps.filter(({ state }) => state !== 'done').map(({ step, state }) => `${step}: ${state}`);
  return { ...toCommon(run), steps: steps.length, ...(failed.length > 0 && { notDone: failed.slice(0, 5) }) };
}

function toWhole({ steps, ...run }: RunReport, failure: ToolFailure | undefined) {
  const all = steps.map(({ step, state, seconds, phases }) => ({
    ...{ step, state, ...(seconds === undefined ? {} : { seconds }) },
    ...(phases.length > 0 && {
      phases: Object.fromEntries(phases.map(({ name, seconds: each }) => [name, each])),
    }),
  }));
  // What is not done is at the end, and matters most.
  return fitItems(
    all,
    (kept, leftOut) => ({
      runs: [
        {
          ...toCommon(run),
          ...(failure && { because: failure.because ?? [failure.failed], fix: failure.fix }),
          steps: kept,
          ...(leftOut > 0 && { stepsLeftOut: leftOut }),
        },
      ],
    }),
    { keeps: 'last' },
  );
}

function toCommon(run: Omit<RunReport, 'steps'>) {
  const { id, command, args, trigger, begun, state, seconds, exitCode, failure } = run;
  return {
    ...{ run: id, command, args: args.join(' '), trigger, begun, state },
    ...(seconds === undefined ? {} : { seconds }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(failure && { failed: failure.message, ...(failure.hint === undefined ? {} : { fix: failure.hint }) }),
  };
}
