import { globalOptions, toFlag } from './options.ts';

/** Commands with a script of their own in package.json; the others run through `npm run wealist --`. */
const scripts = new Set([
  ...['up', 'down', 'reload', 'intercept', 'debug', 'logs', 'forward', 'shell', 'db', 'status', 'why'],
  ...['dashboard', 'env', 'plan', 'doctor', 'images', 'kubectl'],
]);

/** The line to type for this command, with the `--` that npm needs to pass flags on. */
export function toCommandLine(command: string, args: readonly string[] = []): string {
  const words = scripts.has(command) ? [command] : ['wealist', '--', command];
  const separator = scripts.has(command) && args.some((arg) => arg.startsWith('-')) ? ['--'] : [];
  return ['npm', 'run', ...words, ...separator, ...args.map(quote)].join(' ');
}

export interface CommandLine {
  /** Undefined when no command was named. */
  readonly name: string | undefined;
  readonly args: readonly string[];
}

/** `--json up auth` → up, with `--json auth`; `help up` → up, with `--help`. */
export function splitCommandLine(argv: readonly string[]): CommandLine {
  const index = argv.findIndex((word) => !word.startsWith('-'));
  const name = argv[index];
  const args = argv.filter((_, at) => at !== index);
  if (name !== 'help') return { name, args };
  const [asked] = args;
  return { name: asked, args: ['--help'] };
}

/** Which global options were given. Words after a command's own `--` belong to another program. */
export function readGlobals(argv: readonly string[]): Readonly<Record<keyof typeof globalOptions, boolean>> {
  const separator = argv.indexOf('--');
  const words = separator === -1 ? argv : argv.slice(0, separator);
  const has = (key: keyof typeof globalOptions, short?: string) =>
    words.includes(toFlag(key)) || (short !== undefined && words.includes(`-${short}`));
  return {
    json: has('json'),
    quiet: has('quiet', globalOptions.quiet.short),
    verbose: has('verbose', globalOptions.verbose.short),
    noColor: has('noColor'),
  };
}

/** The arguments without the global options, which only change how the result is printed. */
export function withoutGlobals(args: readonly string[]): readonly string[] {
  const flags = Object.entries(globalOptions).flatMap(([key, option]) => [
    toFlag(key),
    ...('short' in option ? [`-${option.short}`] : []),
  ]);
  const separator = args.indexOf('--');
  return args.filter((word, at) => (separator !== -1 && at > separator) || !flags.includes(word));
}

function quote(word: string): string {
  return /^[\w@%+=:,./<>-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
