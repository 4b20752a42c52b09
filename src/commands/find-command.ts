import type { Command } from '../cli/command.ts';
import { toCommandLine } from '../cli/command-line.ts';
import { globalOptions, toFlag } from '../cli/options.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { findNearest } from '../lib/nearest.ts';
import { commands } from './index.ts';

/** Loads the command of this name. @throws {Failure} exit code 2, with the nearest name, if it does not exist. */
export async function loadCommand(name: string): Promise<Command> {
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry) return (await entry.load()).command;
  const nearest = findNearest(name, Object.keys(commands));
  throw new Failure(`${JSON.stringify(name)} is not a command`, {
    hint: nearest ? toCommandLine(nearest) : 'npm run wealist -- --help',
    exitCode: exitCodes.usage,
  });
}

/** The list of all commands, for stdout. */
export function describeCommands(): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [toCommandLine(name), summary] as const);
  const flags = Object.entries(globalOptions).map(
    ([key, option]) =>
      ['short' in option ? `-${option.short}, ${toFlag(key)}` : toFlag(key), option.summary] as const,
  );
  return [
    'Runs weAlist on a Kind cluster on this machine.',
    '',
    'Commands, each with its own --help:',
    ...toColumns(rows),
    '',
    'Global options, after a --:',
    ...toColumns(flags),
  ].join('\n');
}

function toColumns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
