import type { Argument, Command, Commands } from '../command.ts';
import { globalOptions, toFlag } from '../options.ts';

/** What can follow a command's name. */
export interface CommandWords {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly FlagWords[];
  /** For its arguments. */
  readonly values: readonly string[];
}

export interface FlagWords {
  readonly flag: string;
  readonly summary: string;
  /** For its value; none where it takes none, or any. */
  readonly values: readonly string[];
}

/** Where `complete` of an argument or option gets its words. */
export type Sources = Readonly<Record<NonNullable<Argument['complete']>, readonly string[]>>;

export interface Script {
  /** Absolute path of `bin.js`. */
  readonly program: string;
  readonly words: readonly CommandWords[];
}

/** Every command with its flags, and the names that its arguments and options may be. */
export async function listWords(commands: Commands, sources: Sources): Promise<readonly CommandWords[]> {
  return Promise.all(
    Object.entries(commands).map(async ([name, { summary, load }]) => {
      const { command } = await load();
      return { name, summary, flags: listFlags(command, sources), values: listValues(command, sources) };
    }),
  );
}

function listFlags({ options = {}, passThrough }: Command, sources: Sources): CommandWords['flags'] {
  // What is passed on has flags of its own.
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

/** In single quotes for a POSIX shell or fish. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
