/** Process exit codes, one per kind of failure, so that a script can distinguish them. */
export const exitCodes = {
  ok: 0,
  bug: 1,
  usage: 2,
  host: 3,
  port: 4,
  cluster: 5,
  helm: 6,
  image: 7,
  workload: 8,
  refused: 9,
  locked: 10,
  differences: 11,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export interface FailureOptions {
  /** Why it happened: another error, or a line of evidence. */
  readonly cause?: unknown;
  /** A command, or one sentence, that works when followed as it stands. */
  readonly hint?: string | undefined;
  readonly exitCode?: ExitCode;
}

/**
 * An expected failure: what failed in `message` ("thing, state, limit"), why in `cause`, the fix in `hint`.
 * Any other error that is thrown is a bug of this program.
 */
export class Failure extends Error {
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;

  constructor(message: string, { cause, hint, exitCode = exitCodes.host }: FailureOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Failure';
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

/** A program that failed, with its command line, so that the user can run it again. */
export class CommandFailure extends Failure {
  readonly argv: readonly string[];
  /** The program's exit code; undefined when it could not be started or a signal ended it. */
  readonly status: number | undefined;
  /** The signal that ended it. */
  readonly killedBy: string | undefined;
  readonly stdout: string;
  /** Its standard error, at most the last 20 lines. */
  readonly stderr: string;

  constructor(
    message: string,
    {
      argv,
      status,
      killedBy,
      stdout,
      stderr,
      ...options
    }: FailureOptions & {
      readonly argv: readonly string[];
      readonly status: number | undefined;
      readonly killedBy?: string | undefined;
      readonly stdout: string;
      readonly stderr: string;
    },
  ) {
    super(message, options);
    this.name = 'CommandFailure';
    this.argv = argv;
    this.status = status;
    this.killedBy = killedBy;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}
