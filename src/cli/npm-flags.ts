import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes, Failure } from '../lib/failure.ts';
import type { Command, Option } from './command.ts';
import { toCommandLine } from './command-line.ts';
import { findNegated, globalOptions, toFlag } from './options.ts';

export interface NpmRun {
  readonly name: string;
  readonly command: Command;
  /** What npm passed on. */
  readonly args: readonly string[];
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** The file that holds the environment npm itself was started in, where the system has one: on Linux. */
  readonly npmEnvironFile?: string;
}

/**
 * Refuses flags that npm kept for itself: `npm run reload x --watch` hands us `x` and sets npm_config_watch, so that a
 * dry run would become a real one. npm sets the same variable for its own settings, so one that stands in an .npmrc or
 * was in the environment before npm started is not taken for a typed flag.
 * @throws {Failure} exit code 2, with the line that was meant.
 */
export async function rejectSwallowedFlags({
  name,
  command,
  args,
  env,
  npmEnvironFile = `/proc/${process.ppid}/environ`,
}: NpmRun): Promise<void> {
  if (env.npm_lifecycle_event === undefined) return;
  const { json } = globalOptions;
  const found = Object.entries({ ...command.options, json }).flatMap(([key, option]) => {
    const value = env[toVariable(key)];
    // npm sets a flag that is off to the empty text.
    const isOff = value === '' || value === 'false';
    return value === undefined || isOff !== (findNegated(key) !== undefined) ? [] : [{ key, option, value }];
  });
  if (found.length === 0) return;

  const settings = await readSettings(env, npmEnvironFile);
  const typed = found.filter(({ key, value }) => !settings.has(`${toVariable(key)}=${value}`));
  if (typed.length === 0) return;
  throw new Failure(`npm did not pass on ${typed.map(({ key }) => toFlag(key)).join(' and ')}`, {
    cause: 'npm passes on only the flags that follow a --',
    hint: toCommandLine(name, restore(args, typed)),
    exitCode: exitCodes.usage,
  });
}

/** `deleteData` → `npm_config_delete_data`, `noFollow` → `npm_config_follow` */
function toVariable(key: string): string {
  return `npm_config_${toFlag(findNegated(key) ?? key)
    .slice(2)
    .replaceAll('-', '_')}`;
}

interface Swallowed {
  readonly key: string;
  readonly option: Option;
  readonly value: string;
}

/** The line as it was meant. Of `--since 5m` npm keeps the flag only, and 5m stays behind among the arguments. */
function restore(args: readonly string[], swallowed: readonly Swallowed[]): readonly string[] {
  const left = [...args];
  const flags = swallowed.flatMap(({ key, option, value }) => {
    if (option.value === undefined) return [toFlag(key)];
    if (value !== 'true') return [toFlag(key), value];
    const stray = left.findLastIndex((arg) => accepts(option, arg));
    return [toFlag(key), ...(stray === -1 ? [`<${option.value}>`] : left.splice(stray, 1))];
  });
  return [...left, ...flags];
}

function accepts({ choices, parse }: Option, text: string): boolean {
  if (text.startsWith('-')) return false;
  if (choices && !choices.includes(text)) return false;
  return !parse || parse(text) !== undefined;
}

/** What npm would set without a flag typed, as `variable=value`: from its files, and from the environment before it. */
async function readSettings(env: NpmRun['env'], npmEnvironFile: string): Promise<ReadonlySet<string>> {
  const project = env.npm_config_local_prefix && join(env.npm_config_local_prefix, '.npmrc');
  const files = [project, env.npm_config_userconfig, env.npm_config_globalconfig].filter((file) => !!file);
  const lines = (await Promise.all(files.map((file) => readLines(String(file), '\n')))).flat();
  const own = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const before = await readLines(npmEnvironFile, '\0');
  // npm reads its variables in capitals, too, but never writes one.
  const variables = [...own.filter((variable) => variable.startsWith('NPM_CONFIG_')), ...before];
  return new Set([...lines.map((line) => `npm_config_${toSetting(line)}`), ...variables.map(toSetting)]);
}

/** `yes = "true"`, and `yes` alone, which means the same, as `yes=true`. */
function toSetting(assignment: string): string {
  const [key = '', ...value] = assignment.split('=');
  const text = value.length === 0 ? 'true' : value.join('=').trim();
  return `${key.trim().replaceAll('-', '_').toLowerCase()}=${text.replace(/^(["'])(.*)\1$/, '$2')}`;
}

async function readLines(path: string, separator: string): Promise<readonly string[]> {
  // What cannot be read sets nothing.
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split(separator);
}
