/** What started a run. */
export const triggers = ['terminal', 'npm', 'watch', 'dashboard', 'agent'] as const;
export type Trigger = (typeof triggers)[number];

/** A step, named as in its plan. */
export interface StepName {
  readonly stage: string;
  readonly step: string;
}

/** Why a run failed: the message of its failure and the command that fixes it. */
export interface RunFailure {
  readonly message: string;
  readonly hint?: string | undefined;
}

interface Begin {
  readonly event: 'begin';
  readonly command: string;
  /** As typed, up to a `--` of their own, without what only changes how the result is printed. */
  readonly args: readonly string[];
  readonly trigger: Trigger;
  readonly pid: number;
  /** Start of the process, which distinguishes it from a later one with the same PID. */
  readonly started: string | undefined;
  /** Hash of the run's environment; undefined when it read none. */
  readonly config: string | undefined;
}

interface StepBegin extends StepName {
  readonly event: 'step begin';
}

interface StepEnd extends StepName {
  /** `step failed`: it ended without having succeeded: with a failure, or because of Ctrl-C. */
  readonly event: 'step done' | 'step failed';
  readonly seconds: number;
}

interface PhaseEnd extends StepName {
  readonly event: 'phase';
  readonly phase: string;
  readonly seconds: number;
}

interface End {
  readonly event: 'end';
  readonly exitCode: number;
  readonly seconds: number;
  readonly failure?: RunFailure | undefined;
}

export type RunEvent = Begin | StepBegin | StepEnd | PhaseEnd | End;

/** One line of the file. */
export type RunEntry = RunEvent & {
  readonly version: 1;
  /** The same for all entries of one run. */
  readonly run: string;
  /** When it happened; of a `begin`, when the run began. */
  readonly at: string;
};

const isText = (value: unknown) => typeof value === 'string';
const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value);
const isStep = ({ stage, step }: Record<string, unknown>) => isText(stage) && isText(step);

const isValid: Readonly<Record<RunEvent['event'], (entry: Record<string, unknown>) => boolean>> = {
  begin: ({ command, args, trigger, pid }) =>
    isText(command) &&
    Array.isArray(args) &&
    args.every(isText) &&
    triggers.some((each) => each === trigger) &&
    isNumber(pid),
  'step begin': isStep,
  'step done': (entry) => isStep(entry) && isNumber(entry.seconds),
  'step failed': (entry) => isStep(entry) && isNumber(entry.seconds),
  phase: (entry) => isStep(entry) && isText(entry.phase) && isNumber(entry.seconds),
  end: ({ exitCode, seconds }) => isNumber(exitCode) && isNumber(seconds),
};

/** The entry of a line; none for one that is empty, cut off, damaged or of another version. */
export function parseRunEntry(line: string): readonly RunEntry[] {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line);
  } catch {
    // Its run was killed while writing it, or it is the empty line before an entry.
    return [];
  }
  if (entry?.version !== 1 || !isText(entry.run) || !isText(entry.at)) return [];
  const event = String(entry.event);
  if (!Object.hasOwn(isValid, event) || !isValid[event as RunEvent['event']](entry)) return [];
  return [entry as unknown as RunEntry];
}
