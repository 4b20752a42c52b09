import type { Override } from '../config/load.ts';
import type { Environment } from '../config/schema.ts';
import type { Plan } from '../plan/plan.ts';
import type { PlanPreview } from '../plan/preview-plan.ts';
import type { PlanResult } from '../plan/run-plan.ts';
import type { Paths } from '../state/paths.ts';
import type { Exec } from '../tools/exec.ts';
import type { Choice, Confirmation } from '../ui/prompt.ts';
import type { Ui } from '../ui/ui.ts';

/** What a command may use: made once per run by `app.ts`, handed in, so that a test hands in its own. */
export interface App {
  readonly paths: Paths;
  /** Aborted by Ctrl-C and its kind; everything that waits or runs a program takes it. */
  readonly signal: AbortSignal;
  readonly exec: Exec;
  readonly ui: Ui;
  /** The table of all commands. */
  readonly commands: Commands;
  /**
   * The environment that is chosen for this checkout, or the named one, with what flags say over it. Who writes to it
   * hands it to `requireWritable` first.
   * @throws {ConfigFailure} that lists every problem. @throws {Failure} exit code 2 when there is none of that name.
   */
  environment(wanted?: WantedEnvironment): Promise<Environment>;
  /**
   * Runs `work` while holding the checkout's lock, the state folder being there and writable.
   * @throws {Failure} exit code 10 while another run holds it, unless it shall `wait` for that.
   */
  exclusively<T>(work: () => Promise<T>, options?: { readonly wait?: boolean }): Promise<T>;
  /** Runs the plan's steps, each written to the journal before it changes anything. @throws {Failure} of the steps. */
  runPlan(plan: Plan): Promise<PlanResult>;
  /** Asks once for all `changes` of this system. @throws {Failure} exit code 2 where nobody can be asked, 9 for a no. */
  confirmChanges(changes: readonly string[], confirmed: boolean): Promise<void>;
  /** Asks one question. @throws {Failure} as `confirmChanges`. */
  confirm(question: Confirmation, confirmed: boolean): Promise<void>;
  /** Has one of a list chosen on the terminal. @throws {Failure} exit code 130 when the person leaves it. */
  choose(message: string, choices: readonly Choice[], initial: string): Promise<string>;
  /** Has the name of what is lost typed. @throws {Failure} exit code 9 when it was not. */
  confirmLoss(name: string, losses: readonly string[], confirmed: boolean): Promise<void>;
  /** Asks each step whether it is done and shows what would run; changes nothing. */
  previewPlan(plan: Plan): Promise<PlanPreview>;
}

export interface WantedEnvironment {
  /** From `--env`; undefined for the one that is chosen. */
  readonly name?: string | undefined;
  readonly overrides?: readonly Override[];
}

interface Value {
  readonly summary: string;
  /** The only values it takes. */
  readonly choices?: readonly string[];
  /** Where the shell's completion gets its words. */
  readonly complete?: 'services' | 'extras' | 'environments';
}

/** A positional argument; its key is the name in `Input`. */
export interface Argument extends Value {
  /** Its name in the help. */
  readonly value: string;
  readonly required?: boolean;
  /** Takes all that follow; only the last argument can. */
  readonly many?: boolean;
  /** What may stand there besides what `complete` says. */
  readonly words?: readonly string[];
  /** Of the one that takes all that follow: also what looks like options. */
  readonly isRest?: boolean;
}

/** `dryRun` is `--dry-run`. Without `value` it is a flag, true when given. */
export interface Option extends Value {
  readonly short?: string;
  /** The name of its value in the help. */
  readonly value?: string;
  /** The text as what the command works with; undefined when it is none. Needs an `example`. */
  readonly parse?: (text: string) => unknown;
  /** A value that is right, for the message about one that is not. */
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

/** What the person typed, checked, by the names of the arguments and options. */
type Input<A, O> = { readonly [Name in keyof A]: ArgumentInput<A[Name]> } & {
  readonly [Name in keyof O]: OptionInput<O[Name]>;
};

type Arguments = Readonly<Record<string, Argument>>;
type Options = Readonly<Record<string, Option>>;

/** One command as data, from which its parsing, help, completion and refusals are made. */
interface Description<A extends Arguments, O extends Options> {
  /** The first paragraphs of its own help. */
  readonly description: string;
  readonly arguments?: A;
  readonly options?: O;
  /** Command lines that work when pasted. */
  readonly examples?: readonly string[];
  /** All that follows the command's name goes to its only argument unread, flags too. */
  readonly passThrough?: boolean;
  /** It hands the terminal to another program, which says itself how it ended. */
  readonly handsOverTerminal?: boolean;
  /** It only prints, and so has nothing left to do once nobody reads any longer. */
  readonly onlyPrints?: boolean;
}

interface Runnable<Input> {
  /** Resolves to the exit code where that is not 0. @throws {Failure} */
  // biome-ignore lint/suspicious/noConfusingVoidType: a command without a say in its exit code returns nothing.
  run(app: App, input: Input): Promise<number | void>;
}

/** A command whose input's types are known to itself only. */
export type Command = Description<Arguments, Options> & Runnable<AnyInput>;
export type AnyInput = Readonly<Record<string, unknown>>;

/** A command in the table: enough for the list; the rest is loaded when it is called for. */
export interface CommandEntry {
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

export type Commands = Readonly<Record<string, CommandEntry>>;

type None = Readonly<Record<never, never>>;

/** Gives `run` the types of what the arguments and options say. */
export function defineCommand<const A extends Arguments = None, const O extends Options = None>(
  command: Description<A, O> & Runnable<Input<A, O>>,
): Command {
  return command;
}
