import type { Stage, Step } from './plan.ts';

export interface StepResult {
  readonly stage: string;
  readonly step: string;
  readonly milliseconds: number;
  /** Why nothing needed doing; undefined for a step that was applied. */
  readonly skipped: string | undefined;
}

/** How one step ended. */
export interface Outcome extends StepResult {
  readonly error?: unknown;
}

/** Shows the steps of a stage while `perform` runs them all at once; resolves when each has ended, well or not. */
export type Display = (stage: Stage, perform: Perform) => Promise<readonly Outcome[]>;
export type Perform = (step: Step, observer: StepObserver) => Promise<Outcome>;

/** What a display hears of a step while it runs. */
export interface StepObserver {
  /** It was asked, and has something to do. */
  begin(): void;
  report(line: string): void;
}
