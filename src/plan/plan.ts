/** What a plan's runner provides to a running step. */
export interface Run {
  readonly signal: AbortSignal;
  /** Shows one line of progress, which replaces the step's last one. */
  report(line: string): void;
  /** Records how long a part of the step took. */
  endPhase?(phase: string, milliseconds: number): void;
}

/**
 * The smallest idempotent change that has a title and can be checked by itself.
 * A step never prints, prompts, exits or starts another step.
 */
export interface Step {
  readonly title: string;
  /** Resolves to the reason why the step can be skipped, which is shown, or to false. Changes nothing. */
  isDone?(run: Run): Promise<string | false>;
  apply(run: Run): Promise<void>;
}

/** Steps that may run at once. */
export interface Stage {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** Stages in order. A plan is data; making one changes nothing. */
export type Plan = readonly Stage[];
