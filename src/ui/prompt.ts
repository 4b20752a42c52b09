import { exitCodes, Failure } from '../lib/failure.ts';
import type { Ui } from './ui.ts';

interface Asking {
  readonly ui: Ui;
  readonly signal: AbortSignal;
  /** The person agreed beforehand. */
  readonly yes: boolean;
  /** The command line that agrees beforehand, for where nobody can be asked. */
  readonly agreeing: string;
}

/**
 * Shows what would be changed on this system and asks once for all of it; nothing to change asks nothing.
 * @throws {Failure} exit code 2 where nobody can be asked, with the list; 9 when the person says no.
 */
export async function confirmChanges(
  changes: readonly string[],
  { ui, signal, yes, agreeing }: Asking,
): Promise<void> {
  if (changes.length === 0) return;
  const list = changes.map((change) => `  ${change}`).join('\n');
  if (!yes && !ui.interactive) {
    throw new Failure('changes of this system need your consent, and nobody can be asked here', {
      cause: changes.join('\n'),
      hint: agreeing,
      exitCode: exitCodes.usage,
    });
  }
  ui.warn(`This will be changed on this system:\n${list}`);
  if (yes) return;
  const { confirm } = await import('@inquirer/prompts');
  const agreed = await ask(confirm({ message: 'Change it?', default: false }, toContext(ui, signal)), signal);
  if (agreed) return;
  throw new Failure('nothing was changed: you did not agree', {
    hint: agreeing,
    exitCode: exitCodes.refused,
  });
}

/**
 * Shows what will be lost and has its name typed.
 * @throws {Failure} exit code 9 unless the name was typed, or `yes` given.
 */
export async function confirmLoss(
  name: string,
  losses: readonly string[],
  { ui, signal, yes, agreeing }: Asking,
): Promise<void> {
  ui.warn(`This will be lost for good:\n${losses.map((loss) => `  ${loss}`).join('\n')}`);
  if (yes) return;
  if (!ui.interactive) {
    throw new Failure(`${name} must be typed to confirm the loss, and nobody can be asked here`, {
      hint: agreeing,
      exitCode: exitCodes.refused,
    });
  }
  const { input } = await import('@inquirer/prompts');
  const typed = await ask(input({ message: `Type ${name} to confirm:` }, toContext(ui, signal)), signal);
  if (typed.trim() === name) return;
  throw new Failure(`nothing was deleted: ${JSON.stringify(typed)} is not ${name}`, {
    hint: agreeing,
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
