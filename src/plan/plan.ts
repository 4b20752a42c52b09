/** What a running step may use besides what it was made with. */
export interface Run {
  readonly signal: AbortSignal;
  /** Shows one line of progress, replacing the step's last one. */
  report(line: string): void;
}

/**
 * The smallest change that can be named to a person, asked about and repeated without harm.
 * A step never prints, prompts, exits or starts another step.
 */
export interface Step {
  readonly title: string;
  /** Resolves to the reason why nothing needs doing, which is shown, or to false. Changes nothing. */
  isDone?(run: Run): Promise<string | false>;
  apply(run: Run): Promise<void>;
}

/** Steps that may run at once. */
export interface Stage {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** Stages in their order: a plan is data, and making one changes nothing. */
export type Plan = readonly Stage[];
