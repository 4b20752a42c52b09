import type { Outcome } from './display.ts';
import type { Stage, Step } from './plan.ts';

/**
 * Checks all steps of a stage at once: the outcome of a step that is done has the reason in `skipped`. Never rejects.
 */
export function checkSteps(stage: Stage, signal: AbortSignal): Promise<readonly Outcome[]> {
  const check = (step: Step) =>
    toOutcome(
      stage,
      step,
      signal,
      async () => (await step.isDone?.({ signal, report: () => {} })) || undefined,
    );
  return Promise.all(stage.steps.map(check));
}

/** Runs `work` of a step. Never rejects: an error is part of the outcome. */
export async function toOutcome(
  stage: Stage,
  step: Step,
  signal: AbortSignal,
  work: () => Promise<string | undefined>,
): Promise<Outcome> {
  const start = performance.now();
  const end = (skipped?: string) => ({
    stage: stage.title,
    step: step.title,
    milliseconds: performance.now() - start,
    skipped,
  });
  try {
    return end(await work());
  } catch (error) {
    // An error after Ctrl-C is a consequence of it.
    return { ...end(), error: signal.aborted ? signal.reason : error };
  }
}
