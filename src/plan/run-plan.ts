import { setMaxListeners } from 'node:events';
import { Failure } from '../lib/failure.ts';
import { checkSteps } from './check-steps.ts';
import type { Display, Outcome, StepResult } from './display.ts';
import type { Plan, Step } from './plan.ts';
import { createStageRun, type StepHooks } from './stage-run.ts';

export interface PlanResult {
  readonly milliseconds: number;
  readonly steps: readonly StepResult[];
}

/** Joins the results of plans that ran one after the other. */
export function joinResults(results: readonly PlanResult[]): PlanResult {
  return {
    milliseconds: results.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
    steps: results.flatMap(({ steps }) => steps),
  };
}

export interface PlanOptions extends StepHooks {
  /** Shows the steps that are applied. */
  readonly display: Display;
  readonly signal: AbortSignal;
  /** Called for each step that is skipped. */
  readonly onSkipped?: (step: Step, reason: string) => void;
}

/**
 * Runs the stages in order, the steps of a stage at once. The steps of all stages are checked at the start; after a
 * change, those of the following stages are checked again. Only steps that are not done are shown and applied. When a
 * step fails, those of its stage that do not need it still run to their end, since the next run benefits from it, and no
 * further stage begins.
 * @throws {Failure} the one step's error, or one Failure whose cause is an AggregateError of several;
 * the signal's reason once that is aborted.
 */
export async function runPlan(plan: Plan, options: PlanOptions): Promise<PlanResult> {
  const { display, signal, onSkipped } = options;
  const start = performance.now();
  const results: StepResult[] = [];
  const ahead = checkAhead(plan, options);
  try {
    for (const stage of plan) {
      signal.throwIfAborted();
      const checked = await (ahead.outcomes.get(stage) ?? checkSteps(stage, signal));
      throwErrors(checked);
      checked.forEach(({ skipped }, at) => {
        const step = stage.steps[at];
        if (skipped !== undefined && step) onSkipped?.(step, skipped);
      });
      const steps = stage.steps.filter((_, at) => checked[at]?.skipped === undefined);
      if (steps.length > 0) await ahead.end();
      const outcomes =
        steps.length === 0
          ? []
          : await display({ ...stage, steps }, createStageRun({ ...stage, steps }, signal, options));
      throwErrors(outcomes);
      const done = outcomes.values();
      results.push(
        ...checked.map((each) => (each.skipped === undefined ? (done.next().value ?? each) : each)),
      );
    }
  } finally {
    await ahead.end();
  }
  return { milliseconds: performance.now() - start, steps: results };
}

/**
 * Checks change nothing, so those of a whole plan run at once. Their outcomes are valid until the first change; then
 * running checks are aborted, so that later ones do not share a request that was made before the change.
 */
function checkAhead(plan: Plan, { signal }: PlanOptions) {
  const changed = new AbortController();
  const early = AbortSignal.any([signal, changed.signal]);
  // Every running program adds a listener, and many run at once.
  setMaxListeners(0, early);
  const outcomes = new Map(plan.map((stage) => [stage, checkSteps(stage, early)]));
  return {
    outcomes,
    async end(): Promise<void> {
      changed.abort();
      await Promise.all(outcomes.values());
      outcomes.clear();
    },
  };
}

function throwErrors(outcomes: readonly Outcome[]): void {
  const errors = [...new Set(outcomes.flatMap(({ error }) => (error === undefined ? [] : [error])))];
  if (errors.length === 1) throw errors[0];
  // A bug is reported by itself, with its stack.
  const bug = errors.find((error) => !(error instanceof Failure));
  if (bug !== undefined) throw bug;
  const failures = errors.filter((error) => error instanceof Failure);
  const [first] = failures;
  if (!first) return;
  throw new Failure(`${failures.length} steps failed`, {
    cause: new AggregateError(failures),
    exitCode: first.exitCode,
  });
}
