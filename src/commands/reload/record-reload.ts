import type { App } from '../../cli/command.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import type { StepName } from '../../state/run-entries.ts';
import type { RunLog } from '../../state/run-log.ts';

/** The record of one reload by `--watch`. */
export interface RecordedReload {
  /**
   * Begins a step: `live` copies files into the running containers, `image` builds, loads and rolls out. A reload that
   * begins none is not recorded. Does not wait for the disk, since a save should not.
   */
  begin(step: 'live' | 'image'): void;
  endPhase(phase: string, milliseconds: number): void;
  /** Ends the step that has begun, with `error` if it has failed or another save has ended it. */
  end(error?: unknown): Promise<void>;
}

/** Records each reload of a service by `--watch` as a run. */
export function recordReload(app: Pick<App, 'recordRun'>, service: string): RecordedReload {
  const log = app.recordRun([service]);
  let current: StepName | undefined;

  return {
    begin(step) {
      // Files that could not be put into the containers are followed by an image.
      if (current) void log.endStep(current, 'failed');
      current = { stage: 'Reload', step: step === 'live' ? `${service} live` : service };
      void log.beginStep(current);
    },
    endPhase(phase, milliseconds) {
      if (current) log.endPhase(current, phase, milliseconds);
    },
    async end(error) {
      if (!current) return;
      await log.endStep(current, error === undefined ? 'done' : 'failed');
      await log.end(error === undefined ? { exitCode: exitCodes.ok } : toResult(error));
    },
  };
}

function toResult(error: unknown): Parameters<RunLog['end']>[0] {
  if (error instanceof Failure) {
    const { message, hint, exitCode } = error;
    return { exitCode, failure: { message, hint } };
  }
  const isSuperseded = error instanceof Error && error.name === 'AbortError';
  if (isSuperseded) return { exitCode: exitCodes.interrupted, failure: { message: 'ended by another save' } };
  return { exitCode: exitCodes.bug, failure: { message: String(error) } };
}
