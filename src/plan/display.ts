import type { Stage, Step } from './plan.ts';

export interface StepResult {
  readonly stage: string;
  readonly step: string;
  readonly milliseconds: number;
  /** Why the step was skipped; undefined when it was applied. */
  readonly skipped: string | undefined;
}

/** How one step ended. */
export interface Outcome extends StepResult {
  readonly error?: unknown;
  /** A step that this one needed and that failed. */
  readonly failedNeed?: string;
}

/** Shows the steps of a stage while `perform` runs them all at once; resolves when every step has succeeded or failed. */
export type Display = (stage: Stage, perform: Perform) => Promise<readonly Outcome[]>;
export type Perform = (step: Step, observer: StepObserver) => Promise<Outcome>;

/** Receives the progress of a step while it runs. */
export interface StepObserver {
  /** The step is not done and is now applied. */
  begin(): void;
  report(line: string): void;
}
