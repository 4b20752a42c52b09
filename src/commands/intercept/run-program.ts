import { constants } from 'node:os';
import type { App } from '../../cli/command.ts';
import type { Variables } from '../../intercept/pod-environment.ts';
import { CommandFailure } from '../../lib/failure.ts';

/** The program that was started in place of the service has ended. */
export class ProgramEnded extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`the program ended with exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

export interface RunningProgram {
  /** Its exit code; 128 and the signal's number if one ended it. @throws {CommandFailure} when it cannot be started. */
  readonly ended: Promise<number>;
  /** Ends it by SIGTERM, and resolves when it has ended. */
  stop(): Promise<void>;
}

/** Starts the program on this terminal; undefined without words. Ctrl-C reaches it as well, from the terminal. */
export function startProgram(
  { exec }: Pick<App, 'exec'>,
  [program, ...args]: readonly string[],
  { folder, env }: { readonly folder: string; readonly env: Variables },
): RunningProgram | undefined {
  if (program === undefined) return undefined;
  const stopped = new AbortController();
  const run = exec(program, args, { cwd: folder, env, inherit: true, signal: stopped.signal });
  const ended = run.then(() => 0, toExitCode);
  return {
    ended,
    async stop() {
      stopped.abort(new Error('stopped'));
      await ended.catch(() => {});
    },
  };
}

function toExitCode(error: unknown): number {
  if (error instanceof CommandFailure) {
    const signal = constants.signals[error.killedBy as NodeJS.Signals];
    const code = error.status ?? (signal === undefined ? undefined : 128 + signal);
    if (code !== undefined) return code;
  }
  throw error;
}
