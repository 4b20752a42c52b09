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
  /** The file with the environment in which npm was started; it exists on Linux only. */
  readonly npmEnvironFile?: string;
}

/**
 * Rejects flags that npm did not pass on: `npm run up --dry-run` runs `up` without the flag and sets npm_config_dry_run,
 * so a dry run would become a real one. npm sets the same variable for its own settings, so one from an .npmrc or from
 * the environment in which npm was started does not count as a typed flag.
 * @throws {Failure} exit code 2, with the intended command line.
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
    // npm sets the variable of a negated flag to the empty string.
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

/** The intended arguments. Of `--since 5m` npm takes only the flag and leaves 5m among the arguments. */
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

/** The variables that npm sets without a typed flag, as `variable=value`: from its files and its environment. */
async function readSettings(env: NpmRun['env'], npmEnvironFile: string): Promise<ReadonlySet<string>> {
  const project = env.npm_config_local_prefix && join(env.npm_config_local_prefix, '.npmrc');
  const files = [project, env.npm_config_userconfig, env.npm_config_globalconfig].filter((file) => !!file);
  const lines = (await Promise.all(files.map((file) => readLines(String(file), '\n')))).flat();
  const own = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const before = await readLines(npmEnvironFile, '\0');
  // npm also reads its variables in upper case, but never sets those itself.
  const variables = [...own.filter((variable) => variable.startsWith('NPM_CONFIG_')), ...before];
  return new Set([...lines.map((line) => `npm_config_${toSetting(line)}`), ...variables.map(toSetting)]);
}

/** Normalizes `yes = "true"` and `yes`, which mean the same, to `yes=true`. */
function toSetting(assignment: string): string {
  const [key = '', ...value] = assignment.split('=');
  const text = value.length === 0 ? 'true' : value.join('=').trim();
  return `${key.trim().replaceAll('-', '_').toLowerCase()}=${text.replace(/^(["'])(.*)\1$/, '$2')}`;
}

async function readLines(path: string, separator: string): Promise<readonly string[]> {
  // A file that cannot be read contains no settings.
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split(separator);
}
