import type { LogSource } from './log-containers.ts';
import { type LogLine, toGap } from './log-line.ts';

export interface LogQueueOptions {
  /** Resolves when there is room for more. */
  readonly write: (source: LogSource, lines: readonly LogLine[]) => Promise<void>;
  /** Characters that wait at most. */
  readonly mostHeld?: number;
}

/** Takes lines at once, and gives them on as fast as they are taken. */
export interface LogQueue {
  offer(source: LogSource, lines: readonly LogLine[]): void;
  /** Rejects when the writing has failed; else pending. */
  readonly failed: Promise<never>;
}

/** What a line takes besides its text, about. */
const perLine = 100;

/**
 * A queue between logs and an output that may be slower than they are: reading has to go on, or the node rotates away
 * what was not read, and nobody can tell how much. What is too much to hold is dropped, counted, and told of in its
 * place.
 */
export function createLogQueue({ write, mostHeld = 16 * 1024 * 1024 }: LogQueueOptions): LogQueue {
  const waiting: { readonly source: LogSource; readonly lines: readonly LogLine[]; readonly size: number }[] =
    [];
  /** By part. */
  const dropped = new Map<string, { readonly source: LogSource; readonly time: string; count: number }>();
  let held = 0;
  let isWriting = false;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});

  function takeGap(part: string): readonly LogLine[] {
    const lost = dropped.get(part);
    dropped.delete(part);
    return lost ? [toGap(lost.time, lost.count)] : [];
  }

  function drop(source: LogSource, lines: readonly LogLine[]): void {
    const lost = dropped.get(source.part);
    if (lost) lost.count += lines.length;
    else dropped.set(source.part, { source, time: lines[0]?.time ?? '', count: lines.length });
  }

  async function writeAll(): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await write(next.source, next.lines);
      held -= next.size;
    }
    // What was dropped last may have been the last there was.
    for (const [part, { source }] of dropped) await write(source, takeGap(part));
  }

  return {
    failed,
    offer(source, lines) {
      const size = lines.reduce((sum, { text }) => sum + text.length + perLine, 0);
      if (held > 0 && held + size > mostHeld) return drop(source, lines);
      held += size;
      waiting.push({ source, lines: [...takeGap(source.part), ...lines], size });
      if (isWriting) return;
      isWriting = true;
      writeAll()
        .catch(fail)
        .finally(() => {
          isWriting = false;
        });
    },
  };
}
