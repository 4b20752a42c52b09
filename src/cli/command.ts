import type { Override } from '../config/load.ts';
import type { Environment } from '../config/schema.ts';
import type { Plan } from '../plan/plan.ts';
import type { PlanPreview } from '../plan/preview-plan.ts';
import type { PlanResult } from '../plan/run-plan.ts';
import type { Paths } from '../state/paths.ts';
import type { RunLog } from '../state/run-log.ts';
import type { Exec } from '../tools/exec.ts';
import type { Choice, Confirmation } from '../ui/prompt.ts';
import type { Ui } from '../ui/ui.ts';

/** What a command may use. `app.ts` creates it once per run; tests pass in their own. */
export interface App {
  readonly paths: Paths;
  /** Aborted by Ctrl-C, SIGTERM and the like; everything that waits or runs a program takes it. */
  readonly signal: AbortSignal;
  readonly exec: Exec;
  readonly ui: Ui;
  /** The table of all commands. */
  readonly commands: Commands;
  /**
   * The environment chosen for this checkout, or the named one, with `overrides` from flags applied. A command that
   * changes something in it must pass it to `requireWritable` first.
   * @throws {ConfigFailure} that lists every problem. @throws {Failure} exit code 2 when no environment has that name.
   */
  environment(wanted?: WantedEnvironment): Promise<Environment>;
  /**
   * Creates the state folder and runs `work` while holding the checkout's lock. From then on, the run is recorded. With
   * `usesCache`, no command removes anything from the cache meanwhile.
   * @throws {Failure} exit code 10 while another command holds the lock, unless `wait` is true.
   */
  exclusively<T>(
    work: () => Promise<T>,
    options?: { readonly wait?: boolean; readonly usesCache?: boolean },
  ): Promise<T>;
  /**
   * A record of its own for a part of this run that happens again and again, as on each save under `--watch`. `args` are
   * the arguments that would do the same once.
   */
  recordRun(args: readonly string[]): RunLog;
  /** Runs the plan's steps, each recorded before it changes anything. @throws {Failure} of the steps. */
  runPlan(plan: Plan): Promise<PlanResult>;
  /** Asks once for all `changes` to this system. @throws {Failure} exit code 2 without a terminal, 9 for a no. */
  confirmChanges(changes: readonly string[], confirmed: boolean): Promise<void>;
  /** Asks for one confirmation. @throws {Failure} as `confirmChanges`. */
  confirm(question: Confirmation, confirmed: boolean): Promise<void>;
  /** Lets the user choose one of a list on the terminal. @throws {Failure} exit code 130 after Ctrl-C. */
  choose(message: string, choices: readonly Choice[], initial: string): Promise<string>;
  /** Lets the user type the name of what is deleted. @throws {Failure} exit code 9 when it was not typed. */
  confirmLoss(name: string, losses: readonly string[], confirmed: boolean): Promise<void>;
  /** Asks each step whether it is done and shows what would run; changes nothing. */
  previewPlan(plan: Plan): Promise<PlanPreview>;
}

export interface WantedEnvironment {
  /** From `--env`; undefined for the chosen environment. */
  readonly name?: string | undefined;
  readonly overrides?: readonly Override[];
}

interface Value {
  readonly summary: string;
  /** The only accepted values. */
  readonly choices?: readonly string[];
  /** The list from which shell completion takes its words. */
  readonly complete?: 'services' | 'extras' | 'environments';
}

/** A positional argument; its key is the name in `Input`. */
export interface Argument extends Value {
  /** Its name in the help. */
  readonly value: string;
  readonly required?: boolean;
  /** Takes all following words; only the last argument may have it. */
  readonly many?: boolean;
  /** Words that are accepted in addition to those of `complete`. */
  readonly words?: readonly string[];
  /** With `many`: takes words that look like options, too. */
  readonly isRest?: boolean;
}

/** `dryRun` is `--dry-run`. Without `value` it is a flag, true when given. */
export interface Option extends Value {
  readonly short?: string;
  /** The name of its value in the help. */
  readonly value?: string;
  /** Converts the text for the command; undefined for invalid text. Requires an `example`. */
  readonly parse?: (text: string) => unknown;
  /** A valid value, shown when an invalid one was given. */
  readonly example?: string;
}

type ArgumentInput<A> = A extends { many: true }
  ? readonly TextOf<A>[]
  : A extends { required: true }
    ? TextOf<A>
    : TextOf<A> | undefined;

type OptionInput<O> = O extends { parse: (text: string) => infer Parsed }
  ? Parsed | undefined
  : O extends { value: string }
    ? TextOf<O> | undefined
    : boolean;

type TextOf<V> = V extends { choices: readonly (infer Choice extends string)[] } ? Choice : string;

/** The validated words of the command line, by the names of the arguments and options. */
type Input<A, O> = { readonly [Name in keyof A]: ArgumentInput<A[Name]> } & {
  readonly [Name in keyof O]: OptionInput<O[Name]>;
};

type Arguments = Readonly<Record<string, Argument>>;
type Options = Readonly<Record<string, Option>>;

/** One command as data, from which its parsing, help, completion and usage errors are derived. */
interface Description<A extends Arguments, O extends Options> {
  /** The first paragraphs of its own help. */
  readonly description: string;
  readonly arguments?: A;
  readonly options?: O;
  /** Command lines that work when pasted. */
  readonly examples?: readonly string[];
  /** Everything after the command's name goes to its only argument unparsed, including flags. */
  readonly passThrough?: boolean;
  /** It hands the terminal to another program, which reports its own end. */
  readonly handsOverTerminal?: boolean;
  /** It only prints, so it can stop as soon as its output is closed. */
  readonly onlyPrints?: boolean;
}

interface Runnable<Input> {
  /** Resolves to the exit code if that is not 0. @throws {Failure} */
  // biome-ignore lint/suspicious/noConfusingVoidType: a command that always exits with 0 returns nothing.
  run(app: App, input: Input): Promise<number | void>;
}

/** A command, without the types of its input. */
export type Command = Description<Arguments, Options> & Runnable<AnyInput>;
export type AnyInput = Readonly<Record<string, unknown>>;

/** A command in the table: what the list shows; the rest is loaded when the command runs. */
export interface CommandEntry {
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

export type Commands = Readonly<Record<string, CommandEntry>>;

type None = Readonly<Record<never, never>>;

/** Infers the input types of `run` from the arguments and options. */
export function defineCommand<const A extends Arguments = None, const O extends Options = None>(
  command: Description<A, O> & Runnable<Input<A, O>>,
): Command {
  return command;
}
