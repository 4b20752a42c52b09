import type { ComponentOf } from '../tools/kubernetes/watch-pods.ts';
import type { LogSource } from './log-containers.ts';
import type { LogLine } from './log-line.ts';

export interface LogOptions {
  readonly namespace: string;
  readonly componentOf: ComponentOf;
  /** Maximum number of existing lines per container. */
  readonly tail?: number | undefined;
  /** Only lines from this time on, in milliseconds since the epoch. */
  readonly since?: number | undefined;
  /** Writes lines of one source. Resolves when the output can accept more. */
  readonly write: (source: LogSource, lines: readonly LogLine[]) => Promise<void>;
  /** Milliseconds without a line after which a followed log is checked for newer lines. */
  readonly silenceTimeout?: number;
  readonly signal: AbortSignal;
}
