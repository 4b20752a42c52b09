import type { Command, Commands } from '../command.ts';
import { globalOptions, toFlag } from '../options.ts';

/** What can follow a command's name. */
export interface CommandWords {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly { readonly flag: string; readonly summary: string }[];
  /** For its arguments. */
  readonly values: readonly string[];
}

export interface Script {
  /** Absolute path of `bin.js`. */
  readonly program: string;
  readonly words: readonly CommandWords[];
}

/** Every command with its flags, and `services` where an argument is one. */
export async function listWords(
  commands: Commands,
  services: readonly string[],
): Promise<readonly CommandWords[]> {
  return Promise.all(
    Object.entries(commands).map(async ([name, { summary, load }]) => {
      const { command } = await load();
      return { name, summary, flags: listFlags(command), values: listValues(command, services) };
    }),
  );
}

function listFlags({ options = {}, passThrough }: Command): CommandWords['flags'] {
  // What is passed on has flags of its own.
  if (passThrough) return [];
  const help = { summary: 'print its help' };
  return Object.entries({ ...options, ...globalOptions, help }).map(([key, { summary }]) => {
    return { flag: toFlag(key), summary };
  });
}

function listValues({ arguments: args = {} }: Command, services: readonly string[]): readonly string[] {
  return Object.values(args).flatMap(({ choices = [], complete }) =>
    complete === 'services' ? services : choices,
  );
}

/** In single quotes for a POSIX shell or fish. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
