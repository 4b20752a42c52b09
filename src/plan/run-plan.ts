import { setMaxListeners } from 'node:events';
import { Failure } from '../lib/failure.ts';
import { showAsLines } from '../ui/progress-lines.ts';
import { toSymbolLine } from '../ui/style.ts';
import type { Ui } from '../ui/ui.ts';
import type { Display, Outcome, StepResult, Watcher } from './display.ts';
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
  readonly ui: Ui;
  readonly signal: AbortSignal;
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
  const { ui, signal } = options;
  const start = performance.now();
  const results: StepResult[] = [];
  const ahead = askAhead(plan, options);
  try {
    for (const stage of plan) {
      signal.throwIfAborted();
      const asked = await (ahead.answers.get(stage) ?? ask(stage, options));
      throwErrors(asked);
      for (const { step, skipped } of asked)
        if (skipped) ui.detail(toSymbolLine('skipped', step, ui.colors, skipped));
      const steps = stage.steps.filter((_, at) => asked[at]?.skipped === undefined);
      if (steps.length > 0) await ahead.end();
      const outcomes = steps.length === 0 ? [] : await show({ ...stage, steps }, options);
      throwErrors(outcomes);
      const done = outcomes.values();
      results.push(...asked.map((each) => (each.skipped === undefined ? (done.next().value ?? each) : each)));
    }
  } finally {
    await ahead.end();
  }
  return { milliseconds: performance.now() - start, steps: results };
}

/** Whether each step of a stage has something to do. */
function ask(stage: Stage, options: Pick<PlanOptions, 'signal'>): Promise<readonly Outcome[]> {
  return Promise.all(stage.steps.map((step) => question(stage, step, options)));
}

/**
 * Questions change nothing, so that all of a plan can be put at once. The answers hold until something changes: then
 * those that are still on their way end, lest somebody who asks afterwards shares one of before.
 */
function askAhead(plan: Plan, { signal }: PlanOptions) {
  const changed = new AbortController();
  const early = { signal: AbortSignal.any([signal, changed.signal]) };
  // Every program that runs listens to it, and many run at once.
  setMaxListeners(0, early.signal);
  const answers = new Map(plan.map((stage) => [stage, ask(stage, early)]));
  return {
    answers,
    async end(): Promise<void> {
      changed.abort();
      await Promise.all(answers.values());
      answers.clear();
    },
  };
}

/** Runs the steps of a stage where the person sees them. */
async function show(stage: Stage, options: PlanOptions): Promise<readonly Outcome[]> {
  const display = await chooseDisplay(options.ui);
  return display(stage, (step, watcher) => perform(stage, step, watcher, options));
}

async function chooseDisplay(ui: Ui): Promise<Display> {
  if (ui.stderr.isTTY && !ui.quiet && !ui.verbose) {
    return (await import('../ui/progress-terminal.ts')).showOnTerminal(ui);
  }
  return showAsLines(ui);
}

/** Whether a step has something to do: its outcome has the reason in `skipped` when it has not. */
function question(stage: Stage, step: Step, { signal }: Pick<PlanOptions, 'signal'>): Promise<Outcome> {
  return timed(stage, step, signal, async () => {
    return (await step.isDone?.({ signal, report: () => {} })) || undefined;
  });
}

function perform(
  stage: Stage,
  step: Step,
  watcher: Watcher,
  { signal, onBegin, onDone, onFailed }: PlanOptions,
): Promise<Outcome> {
  return timed(stage, step, signal, async () => {
    signal.throwIfAborted();
    watcher.begin();
    await onBegin?.(stage, step);
    try {
      await step.apply({ signal, report: (line) => watcher.report(line) });
    } catch (error) {
      // What the step met says more than what writing that down may meet.
      await onFailed?.(stage, step).catch(() => undefined);
      throw error;
    }
    await onDone?.(stage, step);
    return undefined;
  });
}

/** Never rejects: an error is part of how a step ended. */
async function timed(
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
    // What fails after Ctrl-C fails because of it.
    return { ...end(), error: signal.aborted ? signal.reason : error };
  }
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

export interface StepPreview {
  readonly stage: string;
  readonly step: string;
  /** Why it would be skipped; undefined when it would run. */
  readonly skipped: string | undefined;
  /** It can be asked only once an earlier step has run, so it counts as one that would run. */
  readonly unknown: boolean;
}

export type PlanPreview = readonly StepPreview[];

/** Asks each step whether it is done and shows what would run. Changes nothing. @throws the signal's reason. */
export async function previewPlan(
  plan: Plan,
  { ui, signal }: Pick<PlanOptions, 'ui' | 'signal'>,
): Promise<PlanPreview> {
  const answers = await Promise.all(plan.map((stage) => ask(stage, { signal })));
  signal.throwIfAborted();
  const previews: StepPreview[] = [];
  let heading: string | undefined;
  for (const outcomes of answers) {
    // What an earlier stage would change may be just what a later step asks about.
    const certain = previews.every(({ skipped }) => skipped !== undefined);
    for (const { stage, step, skipped, error } of outcomes) {
      if (error !== undefined && (certain || !(error instanceof Failure))) throw error;
      const preview = { stage, step, skipped, unknown: error !== undefined };
      if (stage !== heading) ui.say(ui.colors.bold(stage));
      heading = stage;
      ui.say(toPreviewLine(preview, ui));
      previews.push(preview);
    }
  }
  return previews;
}

function toPreviewLine({ step, skipped, unknown }: StepPreview, { colors }: Ui): string {
  if (skipped) return toSymbolLine('skipped', step, colors, skipped);
  return toSymbolLine('pointer', step, colors, unknown ? 'depends on what runs before' : undefined);
}
