import { exitCodes, Failure } from '../lib/failure.ts';
import { toTerminalText } from './terminal-text.ts';
import type { Ui } from './ui.ts';

interface PromptOptions {
  readonly ui: Ui;
  readonly signal: AbortSignal;
  /** The user has confirmed in advance, with `--yes`. */
  readonly yes: boolean;
  /** The same command line with `--yes`, shown when there is no terminal to ask on. */
  readonly commandWithYes: string;
}

/** A yes-or-no question, with what it is about. */
export interface Confirmation {
  /** What requires confirmation, for the message when there is no terminal: `changing this system`. */
  readonly subject: string;
  readonly heading: string;
  readonly lines: readonly string[];
  /** The question: `Apply these changes?` */
  readonly message: string;
}

/** Shows all changes to this system and asks once to confirm them; does nothing when there are none. */
export async function confirmChanges(changes: readonly string[], options: PromptOptions): Promise<void> {
  if (changes.length === 0) return;
  await requireConfirmation(
    {
      subject: 'changing this system',
      heading: 'This will be changed on this system:',
      lines: changes,
      message: 'Apply these changes?',
    },
    options,
  );
}

/**
 * Shows the lines and asks for confirmation.
 * @throws {Failure} exit code 2, with the lines, when there is no terminal to ask on; 9 when the user answers no.
 */
export async function requireConfirmation(
  { subject, heading, lines, message }: Confirmation,
  { ui, signal, yes, commandWithYes }: PromptOptions,
): Promise<void> {
  if (!yes && !ui.interactive) {
    throw new Failure(`${subject} requires confirmation, and there is no terminal to ask on`, {
      cause: lines.join('\n'),
      hint: commandWithYes,
      exitCode: exitCodes.usage,
    });
  }
  ui.warn(`${heading}\n${lines.map((line) => `  ${line}`).join('\n')}`);
  if (yes) return;
  const { confirm } = await import('@inquirer/prompts');
  const isConfirmed = await ask(confirm({ message, default: false }, toContext(ui, signal)), signal);
  if (isConfirmed) return;
  throw new Failure('nothing was changed: not confirmed', {
    hint: commandWithYes,
    exitCode: exitCodes.refused,
  });
}

export interface Choice {
  readonly value: string;
  /** The line shown in the list. */
  readonly line: string;
  /** The text that is searched for what the user types. */
  readonly words: string;
  /** Shown below the list while the cursor is on it. */
  readonly description: string;
}

/**
 * Lets the user choose one of a list, with the arrow keys or by typing. Resolves to its `value`.
 * @throws {Failure} exit code 130 after Ctrl-C.
 */
export async function chooseOne(
  message: string,
  choices: readonly Choice[],
  initial: string,
  { ui, signal }: Pick<PromptOptions, 'ui' | 'signal'>,
): Promise<string> {
  const { search } = await import('@inquirer/prompts');
  const find = (term = '') => {
    const words = term.toLowerCase().split(/\s+/);
    return choices
      .filter((choice) => words.every((word) => choice.words.toLowerCase().includes(word)))
      .map(({ value, line, description }) => ({
        value,
        name: toTerminalText(line, { colors: true }),
        short: value,
        description: toTerminalText(description, { colors: true }),
      }));
  };
  return ask(
    search({ message, source: find, default: initial, pageSize: 12 }, toContext(ui, signal)),
    signal,
  );
}

/**
 * Shows what will be deleted and lets the user type its name to confirm.
 * @throws {Failure} exit code 9 unless the name was typed or `yes` is true.
 */
export async function confirmLoss(
  name: string,
  losses: readonly string[],
  { ui, signal, yes, commandWithYes }: PromptOptions,
): Promise<void> {
  ui.warn(`This data will be deleted:\n${losses.map((loss) => `  ${loss}`).join('\n')}`);
  if (yes) return;
  if (!ui.interactive) {
    throw new Failure(`${name} must be typed to confirm, and there is no terminal to ask on`, {
      hint: commandWithYes,
      exitCode: exitCodes.refused,
    });
  }
  const { input } = await import('@inquirer/prompts');
  const typed = await ask(input({ message: `Type ${name} to confirm:` }, toContext(ui, signal)), signal);
  if (typed.trim() === name) return;
  throw new Failure(`nothing was deleted: ${JSON.stringify(typed)} is not ${name}`, {
    hint: commandWithYes,
    exitCode: exitCodes.refused,
  });
}

function toContext({ stderr }: Ui, signal: AbortSignal) {
  return { output: stderr, signal };
}

/** During a prompt the terminal is in raw mode, where Ctrl-C is a key and not a signal. */
async function ask<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return answer.catch((error: Error) => {
    signal.throwIfAborted();
    if (error.name !== 'ExitPromptError') throw error;
    throw new Failure('interrupted, nothing was changed', { exitCode: exitCodes.interrupted });
  });
}
