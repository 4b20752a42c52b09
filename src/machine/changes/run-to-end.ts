import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { CommandFailure } from '../../lib/failure.ts';
import { withoutForcedEnd } from '../../lib/uninterruptible.ts';
import type { Run } from '../../plan/plan.ts';
import { type FailureRules, findRule } from '../../tools/failure-rules.ts';
import type { Root } from './root.ts';

/**
 * A session of its own, which Ctrl-C does not reach, and a file for the output: a pipe would break when this program is
 * killed, and the next line would end the program that writes to it.
 */
const script = `folder=$1; shift; trap "" INT TERM HUP QUIT
echo $$ >"$folder/pid"; exec setsid --wait "$@" </dev/null >>"$folder/output" 2>&1`;

export interface RunToEndOptions extends Run {
  readonly env: Readonly<Record<string, string>>;
  /** Exit codes and hints of the program's failures. */
  readonly failures: FailureRules;
}

/** Milliseconds between two reads of the output. */
const interval = 300;

/**
 * Runs a program as root that must not be stopped in the middle, such as dpkg. It ends by itself, also when the run is
 * interrupted or this program is killed; an interrupted run waits for it.
 * @throws {CommandFailure} when it does not succeed, as `exec` does.
 */
export async function runToEnd(
  root: Root,
  program: string,
  args: readonly string[],
  { env, failures, signal, report }: RunToEndOptions,
): Promise<void> {
  signal.throwIfAborted();
  const folder = await mkdtemp(join(tmpdir(), 'wealist-'));
  const readOutput = () => readText(join(folder, 'output'));
  const findPid = async () => Number.parseInt(await readText(join(folder, 'pid')), 10) || undefined;
  let shown = '';
  const watch = setInterval(async () => {
    // A display that prints lines leaves some out, so this one is repeated.
    if (signal.aborted) return report(`waiting for ${program} to end: it must not be stopped in the middle`);
    const line = toLines(await readOutput()).at(-1) ?? '';
    if (line !== shown) report(line);
    shown = line;
  }, interval);
  try {
    const argv = ['-c', script, 'sh', folder, program, ...args];
    await withoutForcedEnd(() => root.run('sh', argv, { env, failures }), findPid);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    throw toFailure(error, await readOutput(), [program, ...args], failures);
  } finally {
    clearInterval(watch);
    await rm(folder, { recursive: true, force: true });
  }
}

/** The failure of the program itself, by its output; that of sudo or sh when it did not start. */
function toFailure(
  error: CommandFailure,
  output: string,
  argv: readonly string[],
  failures: FailureRules,
): CommandFailure {
  const stderr = toLines(output).slice(-20).join('\n');
  if (stderr === '' && error.stderr !== '') return error;
  const program = basename(argv[0] ?? '');
  const rule = findRule(failures.rules, stderr);
  return new CommandFailure(`${program} ended with exit code ${error.status}`, {
    argv,
    status: error.status,
    stdout: '',
    stderr,
    cause: stderr || error.cause,
    hint: rule?.hint ?? failures.hint,
    exitCode: rule?.exitCode ?? failures.exitCode,
  });
}

function toLines(output: string): readonly string[] {
  return output.trimEnd().split(/[\r\n]+/);
}

/** Empty where there is no such file yet. */
async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
