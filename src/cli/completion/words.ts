import type { Argument, Command, Commands } from '../command.ts';
import { globalOptions, toFlag } from '../options.ts';

/** The words that can follow a command's name. */
export interface CommandWords {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly FlagWords[];
  /** Completions of its arguments. */
  readonly values: readonly string[];
}

export interface FlagWords {
  readonly flag: string;
  readonly summary: string;
  /** Completions of its value; empty for a flag without a value or with any value. */
  readonly values: readonly string[];
}

/** The words for each `complete` of an argument or option. */
export type Sources = Readonly<Record<NonNullable<Argument['complete']>, readonly string[]>>;

export interface Script {
  /** Absolute path of `bin.js`. */
  readonly program: string;
  readonly words: readonly CommandWords[];
}

/** Every command with its flags and the completions of its arguments and options. */
export async function listWords(commands: Commands, sources: Sources): Promise<readonly CommandWords[]> {
  return Promise.all(
    Object.entries(commands).map(async ([name, { summary, load }]) => {
      const { command } = await load();
      return { name, summary, flags: listFlags(command, sources), values: listValues(command, sources) };
    }),
  );
}

function listFlags({ options = {}, passThrough }: Command, sources: Sources): CommandWords['flags'] {
  // The flags are those of the program to which the words are passed.
  if (passThrough) return [];
  const all: NonNullable<Command['options']> = {
    ...options,
    ...globalOptions,
    help: { summary: 'print this help' },
  };
  return Object.entries(all).map(([key, { summary, choices = [], complete }]) => {
    return { flag: toFlag(key), summary, values: complete ? sources[complete] : choices };
  });
}

function listValues({ arguments: args = {} }: Command, sources: Sources): readonly string[] {
  return Object.values(args).flatMap(({ choices = [], words = [], complete }) => [
    ...words,
    ...(complete ? sources[complete] : choices),
  ]);
}

/** Quotes a text for a POSIX shell or fish. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
