import { z } from 'zod';
import type { StepPreview } from '../../plan/preview-plan.ts';
import type { PlanResult } from '../../plan/run-plan.ts';
import type { Reloaded } from '../../steps/reload-service.ts';
import { commonOutput, serviceNames } from './inputs.ts';
import { fitItems } from './limits.ts';
import type { CliOutcome } from './run-cli.ts';
import { defineTool, findFailure, type Tool, type ToolDeps } from './tool.ts';

const runOutput = {
  run: z.string().optional(),
  state: z.enum(['done', 'running', 'dry run']),
  seconds: z.number().optional(),
  ...commonOutput,
};

/** `reload`: one call per change of the source. */
export function createReloadTool({ runs, limit }: ToolDeps): Tool {
  return defineTool({
    name: 'reload',
    description:
      'Builds, loads and rolls out services from their current source, and verifies that the new code runs. Answers within 45 s; state running: it goes on.',
    input: z.strictObject({ services: serviceNames.min(1) }),
    output: z.looseObject({
      ...runOutput,
      services: z.array(z.looseObject({ service: z.string() })).optional(),
    }),
    writes: true,
    async run({ services }, signal) {
      const run = runs.start(['reload', ...services], signal);
      const outcome = await run.wait(limit, signal);
      if (!outcome) return { value: toRunning(run.id) };
      const failure = findFailure(outcome);
      if (failure) return { failure };
      const { milliseconds, services: reloaded } = outcome.values.at(-1) as {
        readonly milliseconds: number;
        readonly services: readonly Reloaded[];
      };
      return {
        value: {
          ...{ run: run.id, state: 'done', seconds: toSeconds(milliseconds) },
          services: reloaded.map(({ phases, ...each }) => ({
            ...each,
            phases: Object.fromEntries(Object.entries(phases).map(([name, time]) => [name, toSeconds(time)])),
          })),
        },
      };
    },
  });
}

/** `up`, without `--yes`: what needs it is left to a person. */
export function createUpTool({ runs, cli, limit }: ToolDeps): Tool {
  return defineTool({
    name: 'up',
    description:
      'Creates or updates the cluster and the named services with their needs (default: all), or starts a stopped cluster. dryRun lists the steps. Changes to the machine are refused: the failure says what a person must agree to. Answers within 45 s; state running: it goes on.',
    input: z.strictObject({ services: serviceNames.optional(), dryRun: z.boolean().optional() }),
    output: z.looseObject({
      ...runOutput,
      steps: z.array(z.string()).optional(),
      mustAgree: z.array(z.string()).optional(),
    }),
    writes: true,
    async run({ services = [], dryRun }, signal) {
      if (dryRun) {
        const outcome = await cli(['up', '--dry-run', ...services], { signal });
        const failure = findFailure(outcome);
        return failure ? { failure } : { value: toPreview(outcome) };
      }
      const run = runs.start(['up', ...services], signal);
      const outcome = await run.wait(limit, signal);
      if (!outcome) return { value: toRunning(run.id) };
      const failure = findFailure(outcome);
      if (failure) return { failure };
      const { milliseconds, steps, addresses } = outcome.values.at(-1) as PlanResult & {
        readonly addresses: readonly { readonly name: string; readonly url: string }[];
      };
      const applied = steps.filter(({ skipped }) => skipped === undefined).map(({ step }) => step);
      const build = (kept: readonly string[], leftOut: number) => ({
        ...{ run: run.id, state: 'done', seconds: toSeconds(milliseconds), steps: kept },
        ...(leftOut > 0 && { leftOut }),
        addresses,
      });
      return { value: fitItems(applied, build, { limit: 100 }) };
    },
  });
}

function toPreview({ values }: CliOutcome) {
  const { changes, steps } = values.at(-1) as {
    readonly changes: readonly { readonly title: string }[];
    readonly steps: readonly StepPreview[];
  };
  const pending = steps.filter(({ skipped }) => skipped === undefined).map(({ step }) => step);
  const build = (kept: readonly string[], leftOut: number) => ({
    ...{ state: 'dry run', steps: kept },
    ...(leftOut > 0 && { leftOut }),
    ...(changes.length > 0 && { mustAgree: changes.map(({ title }) => title) }),
  });
  return fitItems(pending, build, { limit: 100 });
}

function toRunning(run: string) {
  return { run, state: 'running', next: `call runs with run ${run} and seconds 45` };
}

function toSeconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}
