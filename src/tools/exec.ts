import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { CommandFailure, exitCodes, type FailureOptions } from '../lib/failure.ts';
import { type FailureRules, findRule, systemFailures } from './failure-rules.ts';

export interface ExecOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array | Readable;
  /** Path of a file to which standard output is written, as bytes, instead of into the result. */
  readonly outputFile?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds; without it only the signal ends the program. */
  readonly timeout?: number;
  /** Called with each line of both outputs, as it is printed. */
  readonly onLine?: (line: string) => void;
  /** The terminal is handed to the program: for kubectl, psql and shells. */
  readonly inherit?: boolean;
  /** Exit codes and hints of the program's failures; without them each is a failure of this machine. */
  readonly failures?: FailureRules;
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
}

export type Exec = (program: string, args: readonly string[], options?: ExecOptions) => Promise<ExecResult>;

const outputLimit = 64 * 1024 * 1024;

/**
 * Runs a program without a shell and resolves when it succeeded.
 * @throws {CommandFailure} when it cannot be started, does not succeed, or takes longer than `timeout`; exit code and
 * hint are those of `failures`. An aborted signal rejects with the signal's reason.
 */
export const exec: Exec = async (program, args, options = {}) => {
  const {
    cwd,
    env,
    input,
    outputFile,
    signal,
    timeout,
    onLine,
    inherit,
    failures = systemFailures,
  } = options;
  const child = execa(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(inherit ? { stdio: 'inherit' as const } : inputOption(input)),
    ...(outputFile === undefined ? {} : { stdout: { file: outputFile } }),
    all: onLine !== undefined,
    maxBuffer: outputLimit,
    // A program that ignores SIGTERM must not hold the whole run.
    forceKillAfterDelay: 5_000,
    reject: false,
  });
  if (onLine) for await (const line of child.iterable({ from: 'all' })) onLine(line);
  const result = await child;
  if (result.isCanceled) signal?.throwIfAborted();
  const stdout = result.stdout ?? '';
  const stderr = result.stderr ?? '';
  if (!result.failed) return { stdout, stderr };

  const lastLines = stderr.trimEnd().split('\n').slice(-20).join('\n');
  const { message = describe(program, result), ...rest } = classify(failures, result, stderr);
  throw new CommandFailure(message, {
    argv: [program, ...args],
    status: result.exitCode,
    stdout,
    stderr: lastLines,
    cause: lastLines || result.originalMessage,
    ...rest,
  });
};

function inputOption(input: ExecOptions['input']) {
  return input === undefined ? { stdin: 'ignore' as const } : { input };
}

interface Ending {
  readonly timedOut: boolean;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly code?: string | undefined;
}

/** A program that could not be started, or was killed, says nothing about what it was started for. */
function classify(
  failures: FailureRules,
  { timedOut, exitCode, code }: Ending,
  stderr: string,
): FailureOptions & { readonly message?: string } {
  if (code === 'ENOENT') return { exitCode: exitCodes.host, hint: failures.installHint };
  if (exitCode === undefined && !timedOut) return { exitCode: exitCodes.host };
  const rule = findRule(failures.rules, stderr);
  return {
    hint: rule?.hint ?? failures.hint,
    exitCode: rule?.exitCode ?? failures.exitCode,
    ...(rule?.message !== undefined && { message: rule.message }),
  };
}

function describe(program: string, result: Ending): string {
  const name = program.split('/').at(-1);
  if (result.code === 'ENOENT') return `${name} is not installed`;
  if (result.timedOut) return `${name} timed out`;
  if (result.signal) return `${name} was ended by ${result.signal}`;
  return `${name} ended with exit code ${result.exitCode}`;
}
