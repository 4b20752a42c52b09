/** What a plan's runner provides to a running step. */
export interface Run {
  readonly signal: AbortSignal;
  /**
   * Aborted when a step that this one needs has failed: waiting is useless from then on. A change that has begun is still
   * completed.
   */
  readonly needFailed?: AbortSignal;
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
  /**
   * Titles of steps of the same stage without which this one cannot succeed. When one of them fails, this one ends, too,
   * and only that failure is reported.
   */
  readonly needs?: readonly string[];
  /** Whether it begins only when its needs are done; otherwise at once. */
  readonly beginsAfterNeeds?: boolean;
  /** Resolves to the reason why the step can be skipped, which is shown, or to false. Changes nothing. */
  isDone?(run: Run): Promise<string | false>;
  apply(run: Run): Promise<void>;
}

/** Steps that run at once, as far as their needs allow it. */
export interface Stage {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** Stages in order. A plan is data; making one changes nothing. */
export type Plan = readonly Stage[];
