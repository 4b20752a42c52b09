import { toDuration } from '../../lib/duration.ts';
import { type Stopwatch, startStopwatch } from '../../lib/stopwatch.ts';
import type { Run } from '../../plan/plan.ts';

/**
 * Runs `work` and adds to each of its progress lines how long it has been running and how long it usually takes:
 * `compiling k8s.io/api (2 min 10 s of about 8 min)`. The last line is repeated at the interval (milliseconds), since
 * the linker reports nothing for minutes.
 */
export async function reportElapsed<T>(
  { signal, report }: Run,
  { minutes, interval = 5_000 }: { readonly minutes: number; readonly interval?: number },
  work: (run: Run, stopwatch: Stopwatch) => Promise<T>,
): Promise<T> {
  const stopwatch = startStopwatch();
  let last: string | undefined;
  const reportLine = (line: string) => {
    last = line;
    report(`${line} (${toDuration(stopwatch.elapsed())} of about ${minutes} min)`);
  };
  const timer = setInterval(() => last !== undefined && reportLine(last), interval);
  try {
    return await work({ signal, report: reportLine }, stopwatch);
  } finally {
    clearInterval(timer);
  }
}
