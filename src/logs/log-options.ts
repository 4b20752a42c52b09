import type { ComponentOf } from '../tools/kubernetes/watch-pods.ts';
import type { LogSource } from './log-containers.ts';
import type { LogLine } from './log-line.ts';

export interface LogOptions {
  readonly namespace: string;
  readonly partOf: ComponentOf;
  /** Of each container, at most so many of the lines written so far. */
  readonly tail?: number | undefined;
  /** What was written before this time, in milliseconds since the epoch, is left out. */
  readonly since?: number | undefined;
  /** Takes lines of one source; resolves when there is room for more. */
  readonly write: (source: LogSource, lines: readonly LogLine[]) => Promise<void>;
  /** Milliseconds without a line after which a followed log is asked whether it has gone on. */
  readonly quietFor?: number;
  readonly signal: AbortSignal;
}
