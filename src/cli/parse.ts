import { Argument, CommanderError, Option, Command as Parser } from 'commander';
import { exitCodes, Failure } from '../lib/failure.ts';
import { findNearest } from '../lib/nearest.ts';
import type { AnyInput, Command, Option as OptionSpec } from './command.ts';
import { toCommandLine } from './command-line.ts';
import { findNegated, globalOptions, toFlag } from './options.ts';

export type Parsed =
  | { readonly input: AnyInput; readonly help?: undefined }
  /** Text of the help, if `--help` was given. */
  | { readonly help: string };

/** Parses the words after the command's name. @throws {Failure} exit code 2, with the line that was probably intended. */
export function parseInput(name: string, command: Command, args: readonly string[]): Parsed {
  const [only] = Object.keys(command.arguments ?? {});
  if (command.passThrough && only) return { input: { [only]: args } };

  let help = '';
  const parser = createParser(name, command).configureOutput({
    writeOut: (text) => {
      help += text;
    },
    // The same text is thrown as an error.
    writeErr: () => {},
  });
  try {
    parser.parse(separateRest(command, args), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return { help };
    throw toFailure(error, name, command, args);
  }
  return { input: { ...readArguments(command, parser), ...readOptions(command, parser) } };
}

function createParser(name: string, command: Command): Parser {
  const parser = new Parser(toCommandLine(name))
    .description(command.description)
    .helpOption('-h, --help', 'print this help')
    .configureHelp({ showGlobalOptions: false })
    .showSuggestionAfterError(false)
    .exitOverride();

  for (const argument of listArguments(command)) parser.addArgument(argument);
  for (const [key, option] of Object.entries(command.options ?? {})) parser.addOption(toOption(key, option));
  parser.optionsGroup('Global options:');
  for (const [key, option] of Object.entries(globalOptions)) parser.addOption(toOption(key, option));

  const separator = toCommandLine(name).includes(' -- ') ? [] : ['--'];
  parser.usage([...listArguments(command).map(toUsage), ...separator, '[options]'].join(' '));
  if (command.examples)
    parser.addHelpText('after', `\nExamples:\n${command.examples.map((line) => `  ${line}`).join('\n')}`);
  return parser;
}

/** Adds a `--` before the first word that belongs to another program, so that its options are not parsed here. */
function separateRest(command: Command, args: readonly string[]): readonly string[] {
  const rest = Object.values(command.arguments ?? {}).findIndex(({ isRest }) => isRest);
  const options = { ...command.options, ...globalOptions };
  const withValue = Object.entries(options).flatMap(([key, option]) =>
    'value' in option ? [toFlag(key)] : [],
  );
  let positional = 0;
  for (let at = 0; rest !== -1 && at < args.length; at++) {
    const arg = args[at] ?? '';
    if (arg === '--') break;
    if (withValue.includes(arg)) at++;
    else if (!arg.startsWith('-') && positional++ === rest)
      return [...args.slice(0, at), '--', ...args.slice(at)];
  }
  return args;
}

function listArguments(command: Command): readonly Argument[] {
  return Object.values(command.arguments ?? {}).map(({ value, summary, required, many, choices }) => {
    const name = `${value}${many ? '...' : ''}`;
    const argument = new Argument(required ? `<${name}>` : `[${name}]`, summary);
    return choices ? argument.choices(choices) : argument;
  });
}

function toUsage(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function toOption(key: string, { short, value, summary, choices }: OptionSpec): Option {
  const flags = [...(short ? [`-${short}`] : []), toFlag(key)].join(', ');
  const option = new Option(value ? `${flags} <${value}>` : flags, summary);
  return choices ? option.choices(choices) : option;
}

function readArguments(command: Command, parser: Parser): Record<string, unknown> {
  const keys = Object.keys(command.arguments ?? {});
  return Object.fromEntries(keys.map((key, index) => [key, parser.processedArgs[index]]));
}

function readOptions(command: Command, parser: Parser): Record<string, unknown> {
  const given: Readonly<Record<string, unknown>> = parser.opts();
  return Object.fromEntries(
    Object.entries(command.options ?? {}).map(([key, option]) => {
      const negated = findNegated(key);
      // Commander stores `--no-follow` as `follow`, which is true by default.
      const value = negated === undefined ? given[key] : given[negated] === false;
      return [key, toValue(key, option, value)];
    }),
  );
}

function toValue(key: string, { value, parse, example }: OptionSpec, text: unknown): unknown {
  if (value === undefined) return text === true;
  if (typeof text !== 'string' || !parse) return text;
  const parsed = parse(text);
  if (parsed !== undefined) return parsed;
  throw new Failure(`${toFlag(key)} takes a ${value}, not ${JSON.stringify(text)}`, {
    hint: `for example: ${toFlag(key)} ${example}`,
    exitCode: exitCodes.usage,
  });
}

function toFailure(error: CommanderError, name: string, command: Command, args: readonly string[]): Failure {
  const message = error.message.replace(/^error: /, '').replace(/\.$/, '');
  const nearest = error.code === 'commander.unknownOption' ? findIntended(message, command, args) : undefined;
  return new Failure(message, {
    hint: toCommandLine(name, nearest ?? ['--help']),
    exitCode: exitCodes.usage,
  });
}

/** The arguments, with the unknown flag replaced by the one that was probably intended. */
function findIntended(
  message: string,
  command: Command,
  args: readonly string[],
): readonly string[] | undefined {
  const [, unknown = ''] = /'([^'=]+)/.exec(message) ?? [];
  const known = Object.keys({ ...command.options, ...globalOptions, help: {} }).map(toFlag);
  const nearest = findNearest(unknown, known);
  if (!nearest) return undefined;
  return args.map((arg) => (arg.split('=', 1)[0] === unknown ? arg.replace(unknown, nearest) : arg));
}
