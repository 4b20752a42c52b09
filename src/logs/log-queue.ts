import type { LogSource } from './log-containers.ts';
import { type LogLine, toGap } from './log-line.ts';

export interface LogQueueOptions {
  /** Resolves when the output can accept more. */
  readonly write: (source: LogSource, lines: readonly LogLine[]) => Promise<void>;
  /** Maximum number of waiting characters. */
  readonly maxWaiting?: number;
}

/** Accepts lines immediately and writes them as fast as the output accepts them. */
export interface LogQueue {
  offer(source: LogSource, lines: readonly LogLine[]): void;
  /** Rejects when writing has failed; never resolves. */
  readonly failed: Promise<never>;
}

/** Approximate size of a line besides its text, in characters. */
const lineOverhead = 100;

/**
 * A queue between logs and an output that may be slower. Reading must not wait for the output, or the node rotates
 * unread lines away and their number is unknown. Lines beyond the limit are dropped and counted, and a gap is written
 * in their place.
 */
export function createLogQueue({ write, maxWaiting = 16 * 1024 * 1024 }: LogQueueOptions): LogQueue {
  const waiting: { readonly source: LogSource; readonly lines: readonly LogLine[]; readonly size: number }[] =
    [];
  /** Dropped lines by component. */
  const dropped = new Map<string, { readonly source: LogSource; readonly time: string; count: number }>();
  let waitingSize = 0;
  let isWriting = false;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});

  function takeGap(component: string): readonly LogLine[] {
    const gap = dropped.get(component);
    dropped.delete(component);
    return gap ? [toGap(gap.time, gap.count)] : [];
  }

  function drop(source: LogSource, lines: readonly LogLine[]): void {
    const gap = dropped.get(source.component);
    if (gap) gap.count += lines.length;
    else dropped.set(source.component, { source, time: lines[0]?.time ?? '', count: lines.length });
  }

  async function drain(): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await write(next.source, next.lines);
      waitingSize -= next.size;
    }
    // No later line may follow that would report these gaps.
    for (const [component, { source }] of dropped) await write(source, takeGap(component));
  }

  return {
    failed,
    offer(source, lines) {
      const size = lines.reduce((sum, { text }) => sum + text.length + lineOverhead, 0);
      if (waitingSize > 0 && waitingSize + size > maxWaiting) return drop(source, lines);
      waitingSize += size;
      waiting.push({ source, lines: [...takeGap(source.component), ...lines], size });
      if (isWriting) return;
      isWriting = true;
      drain()
        .catch(fail)
        .finally(() => {
          isWriting = false;
        });
    },
  };
}
