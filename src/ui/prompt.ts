import { exitCodes, Failure } from '../lib/failure.ts';
import { toTerminalText } from './terminal-text.ts';
import type { Ui } from './ui.ts';

interface PromptOptions {
  readonly ui: Ui;
  readonly signal: AbortSignal;
  /** The person agreed beforehand. */
  readonly yes: boolean;
  /** The command line that agrees beforehand, for where nobody can be asked. */
  readonly commandWithYes: string;
}

/** A question that is answered with yes or no, about what is shown with it. */
export interface Confirmation {
  /** Goes on with "your consent" where nobody can be asked: `changes of this system need`. */
  readonly subject: string;
  readonly heading: string;
  readonly lines: readonly string[];
  /** `Change it?` */
  readonly message: string;
}

/** Shows what would be changed on this system and asks once for all of it; nothing to change asks nothing. */
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
 * Shows what it is about and asks.
 * @throws {Failure} exit code 2 where nobody can be asked, with the lines; 9 when the person says no.
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
  /** Its line in the list. */
  readonly line: string;
  /** What is typed is looked for in this. */
  readonly words: string;
  /** Shown below the list while the cursor is on it. */
  readonly description: string;
}

/**
 * Has one of a list chosen, with the arrow keys or by typing.
 * @throws {Failure} exit code 130 when the person leaves with Ctrl-C.
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
 * Shows what will be lost and has its name typed.
 * @throws {Failure} exit code 9 unless the name was typed, or `yes` given.
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

/** The terminal is in raw mode while it asks, so that Ctrl-C comes as a key and not as a signal. */
async function ask<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return answer.catch((error: Error) => {
    signal.throwIfAborted();
    if (error.name !== 'ExitPromptError') throw error;
    throw new Failure('interrupted, nothing was changed', { exitCode: exitCodes.interrupted });
  });
}
