import { setMaxListeners } from 'node:events';
import { Failure } from '../lib/failure.ts';
import { checkSteps, toOutcome } from './check-steps.ts';
import type { Display, Outcome, StepObserver, StepResult } from './display.ts';
import type { Plan, Stage, Step } from './plan.ts';

export interface PlanResult {
  readonly milliseconds: number;
  readonly steps: readonly StepResult[];
}

/** Of plans that were run one after the other, as if they had been one. */
export function joinResults(results: readonly PlanResult[]): PlanResult {
  return {
    milliseconds: results.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
    steps: results.flatMap(({ steps }) => steps),
  };
}

export interface PlanOptions {
  /** Shows the steps that have something to do. */
  readonly display: Display;
  readonly signal: AbortSignal;
  /** Called for each step that has nothing to do. */
  readonly onSkipped?: (step: Step, reason: string) => void;
  /** Awaited between a step's question and its change: the place for a journal. */
  readonly onBegin?: (stage: Stage, step: Step) => Promise<void>;
  /** Awaited after a step that was begun ended well. */
  readonly onDone?: (stage: Stage, step: Step) => Promise<void>;
  /** Awaited after a step that was begun ended in any other way. */
  readonly onFailed?: (stage: Stage, step: Step) => Promise<void>;
}

/**
 * Runs the stages in their order, the steps of a stage at once. All steps of a stage are asked first, and only those
 * that have something to do are shown: a run that finds all as it should be says nothing, and has asked all steps of all
 * stages at once. After a step that fails the others of its stage still end, since what they do is not lost for the next
 * run, and no further stage begins.
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
          : await display({ ...stage, steps }, (step, observer) => perform(stage, step, observer, options));
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
 * Questions change nothing, so that all of a plan can be put at once. The answers hold until something changes: then
 * those that are still on their way end, lest somebody who asks afterwards shares one of before.
 */
function checkAhead(plan: Plan, { signal }: PlanOptions) {
  const changed = new AbortController();
  const early = AbortSignal.any([signal, changed.signal]);
  // Every program that runs listens to it, and many run at once.
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

function perform(
  stage: Stage,
  step: Step,
  observer: StepObserver,
  { signal, onBegin, onDone, onFailed }: PlanOptions,
): Promise<Outcome> {
  return toOutcome(stage, step, signal, async () => {
    signal.throwIfAborted();
    observer.begin();
    await onBegin?.(stage, step);
    try {
      await step.apply({ signal, report: (line) => observer.report(line) });
    } catch (error) {
      // What the step met says more than what writing that down may meet.
      await onFailed?.(stage, step).catch(() => undefined);
      throw error;
    }
    await onDone?.(stage, step);
    return undefined;
  });
}

function throwErrors(outcomes: readonly Outcome[]): void {
  const errors = [...new Set(outcomes.flatMap(({ error }) => (error === undefined ? [] : [error])))];
  if (errors.length === 1) throw errors[0];
  // A bug is reported as one, with its stack.
  const bug = errors.find((error) => !(error instanceof Failure));
  if (bug !== undefined) throw bug;
  const failures = errors.filter((error) => error instanceof Failure);
  const [first] = failures;
  if (!first) return;
  throw new Failure(`${failures.length} steps ended with a failure`, {
    cause: new AggregateError(failures),
    exitCode: first.exitCode,
  });
}
