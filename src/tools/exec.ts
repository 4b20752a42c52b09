import { constants } from 'node:fs';
import { access, type FileHandle, open } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { toDuration } from '../lib/duration.ts';
import { CommandFailure, exitCodes, Failure, type FailureOptions } from '../lib/failure.ts';
import { toSystemFailure } from '../lib/system-failure.ts';
import { withoutForcedEnd } from '../lib/uninterruptible.ts';
import { type FailureRules, findRule, systemFailures } from './failure-rules.ts';
import { keepLoopbackDirect } from './proxy.ts';
import { killStopped, stopLimit, wasStopped } from './stopped-programs.ts';

export interface ExecOptions {
  readonly cwd?: string;
  /** Added to this process's environment, in which no proxy gets requests to this machine. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array | Readable;
  /** File that the program reads as its standard input, instead of `input`. */
  readonly inputFile?: string;
  /** File that the program writes its standard output to, of any size. The result's `stdout` is then empty. */
  readonly outputFile?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds; without it only the signal ends the program. */
  readonly timeout?: number;
  /** Called with each line of both outputs, as it comes. */
  readonly onLine?: (line: string) => void;
  /** Exit codes and hints of the program's failures; without them each is a failure of this machine. */
  readonly failures?: FailureRules;
  /** The terminal is handed to the program: for kubectl, psql and shells. */
  readonly inherit?: boolean;
  /** The program must not stop in the middle: Ctrl-C does not reach it, and the forced end waits for it and spares it. */
  readonly runsToEnd?: boolean;
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
}

export type Exec = (program: string, args: readonly string[], options?: ExecOptions) => Promise<ExecResult>;

/** Bytes of each output that are kept in memory. */
const outputLimit = 64 * 1024 * 1024;

/**
 * Runs a program without a shell and resolves when it succeeded.
 * @throws {CommandFailure} when it cannot be started, does not succeed, takes longer than `timeout`, or prints more than
 * 64 MiB to an output that is not a file; exit code and hint are those of `failures`. An aborted signal rejects with the
 * signal's reason.
 */
export const exec: Exec = async (program, args, options = {}) => {
  const { inputFile, outputFile } = options;
  const files: FileHandle[] = [];
  const openFile = async (path: string, flags: string) => {
    const file = await openOrFail(path, flags);
    files.push(file);
    return file.fd as Descriptor;
  };
  try {
    // The program gets the files themselves: their content never passes through this process.
    const stdin = inputFile === undefined ? undefined : await openFile(inputFile, 'r');
    const stdout = outputFile === undefined ? undefined : await openFile(outputFile, 'w');
    return await killStopped(() => run(program, args, options, { stdin, stdout }));
  } catch (error) {
    throw (outputFile !== undefined && toFullDisk(error, outputFile)) || error;
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
};

/** The failure of a program that could not write its output file, which it does not name; undefined for any other one. */
function toFullDisk(cause: unknown, path: string): Failure | undefined {
  if (!(cause instanceof CommandFailure) || !/no space left on device/i.test(cause.stderr)) return undefined;
  const error = Object.assign(new Error(cause.stderr), { code: 'ENOSPC', syscall: 'write', path });
  return toSystemFailure(error);
}

/** A file descriptor. execa takes any, but its types know single digits only. */
type Descriptor = 3;

interface Descriptors {
  readonly stdin: Descriptor | undefined;
  readonly stdout: Descriptor | undefined;
}

async function run(
  program: string,
  args: readonly string[],
  {
    cwd,
    env,
    input,
    signal,
    timeout,
    onLine,
    inherit,
    runsToEnd = false,
    failures = systemFailures,
  }: ExecOptions,
  files: Descriptors,
): Promise<ExecResult> {
  const child = execa(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...env, ...keepLoopbackDirect({ ...process.env, ...env }) },
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(inherit || input === undefined ? {} : { input }),
    stdio: inherit
      ? 'inherit'
      : [files.stdin ?? (input === undefined ? 'ignore' : 'pipe'), files.stdout ?? 'pipe', 'pipe'],
    all: onLine !== undefined,
    // execa puts what it has buffered into an error's message, escaped, which aborts node when the output is large.
    buffer: false,
    // A program that ignores SIGTERM must not hold the whole run.
    forceKillAfterDelay: 5_000,
    reject: false,
    // A process group of its own.
    detached: runsToEnd,
  });
  child.once('exit', () => {
    if (child.killed) setTimeout(endOutputs, 1_000, child).unref();
  });
  const findPid = async () => child.pid;
  const ended = runsToEnd ? withoutForcedEnd(() => child, findPid) : child;
  let printedTooMuch = false;
  const stopProgram = () => {
    printedTooMuch = true;
    child.kill();
  };
  const readStdout = collect(child.stdout, stopProgram);
  const readStderr = collect(child.stderr, stopProgram);
  try {
    if (onLine) for await (const line of child.iterable({ from: 'all' })) onLine(line);
  } catch (error) {
    // The end of the outputs of a killed program; its result says why.
    if (!child.killed) throw error;
  }
  const result = await ended;
  if (result.isCanceled) signal?.throwIfAborted();
  const stdout = readStdout();
  const stderr = readStderr();
  if (!result.failed && !printedTooMuch) return { stdout, stderr };

  const lastLines = stderr.trimEnd().split('\n').slice(-20).join('\n');
  const name = program.split('/').at(-1) ?? program;
  const start = { program, cwd, path: env?.PATH ?? process.env.PATH };
  const { message: known, ...rest } = await classify(failures, result, stderr, start);
  const message = printedTooMuch
    ? `${name} printed more than ${outputLimit / 1024 / 1024} MiB`
    : wasStopped(child.pid)
      ? `${name} was killed: a signal had stopped it for ${toDuration(stopLimit)}`
      : (known ?? (await describe(name, result, start)));
  throw new CommandFailure(message, {
    argv: [program, ...args],
    status: result.exitCode,
    killedBy: result.signal,
    stdout,
    stderr: lastLines,
    cause: printedTooMuch ? undefined : lastLines || result.originalMessage,
    ...rest,
  });
}

/** What a killed program has started may hold its outputs open, and does not hold this run. */
function endOutputs({ stdout, stderr }: { stdout?: Readable | null; stderr?: Readable | null }): void {
  for (const output of [stdout, stderr]) output?.destroy();
}

interface Ending {
  readonly timedOut: boolean;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly code?: string | undefined;
  readonly cause?: unknown;
}

/** What was to be started. */
interface Start {
  readonly program: string;
  readonly cwd: string | undefined;
  readonly path: string | undefined;
}

/** A folder on PATH that this user may not enter makes the system report a missing program as forbidden (EACCES). */
async function isNotInstalled(
  code: string | undefined,
  { program, cwd, path = '' }: Start,
): Promise<boolean> {
  if (cwd !== undefined && !(await isFolder(cwd))) return false;
  if (code === 'ENOENT') return true;
  if (code !== 'EACCES' || program.includes('/')) return false;
  const found = await Promise.all(
    path.split(delimiter).map((folder) =>
      access(join(folder, program)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return !found.includes(true);
}

/** A program that could not be started, or was killed, says nothing about what it was started for. */
async function classify(
  failures: FailureRules,
  { timedOut, exitCode, code }: Ending,
  stderr: string,
  start: Start,
): Promise<FailureOptions & { readonly message?: string }> {
  if (await isNotInstalled(code, start)) {
    return { exitCode: exitCodes.host, hint: failures.installHint };
  }
  if (exitCode === undefined && !timedOut) return { exitCode: exitCodes.host };
  const rule = findRule(failures.rules, stderr);
  return {
    hint: rule?.hint ?? failures.hint,
    exitCode: rule?.exitCode ?? failures.exitCode,
    ...(rule?.message !== undefined && { message: rule.message }),
  };
}

/**
 * Keeps what a stream brings, up to the limit, and returns a function that returns it as text without its last line
 * break. Calls `onTooMuch` when there is more.
 */
function collect(stream: Readable | null | undefined, onTooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= outputLimit) {
      chunks.push(chunk);
      return;
    }
    onTooMuch();
    // Ends also what the program has started, which prints to the same pipe.
    stream.destroy();
  });
  return () => withoutLastLineBreak(Buffer.concat(chunks).toString());
}

function withoutLastLineBreak(text: string): string {
  if (text.endsWith('\r\n')) return text.slice(0, -2);
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}

/** @throws {Failure} which names the file. */
async function openOrFail(path: string, flags: string): Promise<FileHandle> {
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    throw (
      toSystemFailure(error) ??
      new Failure(`${path} cannot be opened`, { cause: error, exitCode: exitCodes.host })
    );
  }
}

async function describe(name: string, result: Ending, start: Start): Promise<string> {
  const { code, cause } = result;
  const { cwd } = start;
  // Node reports ENOENT for a missing program, a missing folder to start it in, and a missing file of its input alike.
  const syscall = cause instanceof Error && 'syscall' in cause ? String(cause.syscall) : '';
  if (code !== undefined && syscall.startsWith('spawn')) {
    if (cwd !== undefined && !(await isFolder(cwd)))
      return `the working directory of ${name} does not exist: ${cwd}`;
    return (await isNotInstalled(code, start))
      ? `${name} is not installed`
      : `${name} cannot be started (${code})`;
  }
  if (result.timedOut) return `${name} timed out`;
  if (result.signal) return `${name} was ended by ${result.signal}`;
  // A program that reads to the end of its input succeeds also where that was cut off.
  if (code !== undefined && !result.exitCode) return `the input of ${name} cannot be read`;
  return `${name} ended with exit code ${result.exitCode}`;
}

/** Whether a program can be started in it. */
async function isFolder(path: string): Promise<boolean> {
  return access(`${path}/.`, constants.F_OK).then(
    () => true,
    () => false,
  );
}
