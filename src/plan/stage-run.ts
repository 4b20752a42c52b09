import { toOutcome } from './check-steps.ts';
import type { Outcome, Perform } from './display.ts';
import type { Stage, Step } from './plan.ts';

/** What is recorded of a step that is applied. */
export interface StepHooks {
  /** Awaited before a step is applied, for the record of the run. */
  readonly onBegin?: (stage: Stage, step: Step) => Promise<void>;
  /** Called when a part of a step has ended. */
  readonly onPhase?: (stage: Stage, step: Step, phase: string, milliseconds: number) => void;
  /** Awaited after a step has succeeded. */
  readonly onDone?: (stage: Stage, step: Step) => Promise<void>;
  /** Awaited after a step has failed or was aborted. */
  readonly onFailed?: (stage: Stage, step: Step) => Promise<void>;
}

/**
 * Runs the steps of a stage, each as soon as its needs allow it; a need that is not among them is done already. When a
 * need fails, a step that has not begun does not begin, and one that runs is told; its own error then counts no more.
 */
export function createStageRun(stage: Stage, signal: AbortSignal, hooks: StepHooks): Perform {
  const ends = new Map(stage.steps.map(({ title }) => [title, createEnd()]));

  return async (step, observer) => {
    const needs = followNeeds((step.needs ?? []).flatMap((title) => ends.get(title)?.promise ?? []));
    let hasBegun = false;
    const outcome = await toOutcome(stage, step, signal, async () => {
      if (step.beginsAfterNeeds) await needs.settled;
      signal.throwIfAborted();
      if (needs.failed.aborted) return undefined;
      hasBegun = true;
      observer.begin();
      await hooks.onBegin?.(stage, step);
      try {
        await step.apply({
          ...{ signal, needFailed: needs.failed },
          report: (line) => observer.report(line),
          endPhase: (phase, milliseconds) => hooks.onPhase?.(stage, step, phase, milliseconds),
        });
      } catch (error) {
        // The step's error matters more than an error of the record.
        await hooks.onFailed?.(stage, step).catch(() => undefined);
        throw error;
      }
      await hooks.onDone?.(stage, step);
      return undefined;
    });
    const isFollowUp = needs.failed.aborted && !signal.aborted && (!hasBegun || outcome.error !== undefined);
    const result: Outcome = isFollowUp
      ? { ...outcome, error: undefined, failedNeed: needs.failed.reason }
      : outcome;
    ends.get(step.title)?.resolve(result.failedNeed ?? (result.error === undefined ? undefined : step.title));
    return result;
  };
}

/** How a step ended: the title of the step that is at fault, or undefined when it is done. */
type End = string | undefined;

function createEnd() {
  let resolve: (end: End) => void = () => {};
  const promise = new Promise<End>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/**
 * `failed` is aborted at the first need that fails, with the title of the step at fault; `settled` resolves then, or when
 * all needs are done.
 */
function followNeeds(needs: readonly Promise<End>[]) {
  const failed = new AbortController();
  const firstFailure = new Promise<void>((resolve) => {
    failed.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const all = needs.map(async (need) => {
    const fault = await need;
    if (fault !== undefined) failed.abort(fault);
  });
  return { failed: failed.signal, settled: Promise.race([firstFailure, Promise.all(all)]) };
}
