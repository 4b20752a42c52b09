import { Failure } from '../lib/failure.ts';
import { checkSteps } from './check-steps.ts';
import type { Plan } from './plan.ts';

export interface StepPreview {
  readonly stage: string;
  readonly step: string;
  /** Why it would be skipped; undefined when it would run. */
  readonly skipped: string | undefined;
  /** It can be checked only after an earlier step has run, and counts as one that would run. */
  readonly unknown: boolean;
}

export type PlanPreview = readonly StepPreview[];

export interface PreviewOptions {
  readonly signal: AbortSignal;
  /** Called for each step in its order. */
  readonly onStep: (preview: StepPreview) => void;
}

/** Checks every step and returns which ones would run. Changes nothing. @throws the signal's reason once it is aborted. */
export async function previewPlan(plan: Plan, { signal, onStep }: PreviewOptions): Promise<PlanPreview> {
  const checked = await Promise.all(plan.map((stage) => checkSteps(stage, signal)));
  signal.throwIfAborted();
  const previews: StepPreview[] = [];
  for (const outcomes of checked) {
    // A later step's check may fail only because an earlier stage has not run yet.
    const certain = previews.every(({ skipped }) => skipped !== undefined);
    for (const { stage, step, skipped, error } of outcomes) {
      if (error !== undefined && (certain || !(error instanceof Failure))) throw error;
      const preview = { stage, step, skipped, unknown: error !== undefined };
      onStep(preview);
      previews.push(preview);
    }
  }
  return previews;
}
