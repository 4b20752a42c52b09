import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import { CommandFailure, exitCodes } from '../../lib/failure.ts';
import { type RunOrigin, toRunVariables } from '../../state/run-origin.ts';

/** What a run of this program under `--json` has printed, and how it ended. */
export interface CliOutcome {
  readonly exitCode: number;
  /** The documents on its stdout. */
  readonly values: readonly unknown[];
  /** The last lines of its stderr. */
  readonly stderr: string;
}

export interface CliOptions {
  readonly signal: AbortSignal;
  /** The ID under which the run is recorded. */
  readonly runId?: string;
  /** Called with each document as it is printed. */
  readonly onValue?: (value: unknown) => void;
}

/** Runs one command of this program. Rejects with the signal's reason once that is aborted. */
export type RunCli = (args: readonly string[], options: CliOptions) => Promise<CliOutcome>;

/**
 * Runs each command as a program of its own, as a user does: with the same lock, record and questions, and always with
 * the current sources.
 */
export function createRunCli({ exec, paths }: Pick<App, 'exec' | 'paths'>): RunCli {
  const program = join(paths.checkout, 'src/bin.js');
  return async (args, { signal, runId, onValue }) => {
    const origin: RunOrigin = { trigger: 'agent', runId };
    const [name = '', ...rest] = args;
    const options = {
      signal,
      env: toRunVariables(origin),
      ...(onValue && { onLine: (line: string) => parseLine(line).forEach((value) => void onValue(value)) }),
    };
    // Flags come first: what follows a `--` of the arguments is no flag.
    return exec(process.execPath, [program, name, '--json', '--quiet', ...rest], options).then(
      ({ stdout, stderr }) => ({ exitCode: exitCodes.ok, values: toValues(stdout), stderr }),
      (error: unknown) => {
        signal.throwIfAborted();
        if (!(error instanceof CommandFailure)) throw error;
        const { status = exitCodes.terminated, stdout, stderr } = error;
        return { exitCode: status, values: toValues(stdout), stderr };
      },
    );
  };
}

function toValues(stdout: string): readonly unknown[] {
  return stdout.split('\n').flatMap(parseLine);
}

/** None for a line that is not JSON, as on stderr. */
function parseLine(line: string): readonly unknown[] {
  if (!line.startsWith('{')) return [];
  try {
    return [JSON.parse(line)];
  } catch {
    // It was cut off: the program was killed.
    return [];
  }
}
