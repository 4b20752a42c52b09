import { toDuration } from '../../lib/duration.ts';
import { type Stopwatch, startStopwatch } from '../../lib/stopwatch.ts';
import type { Run } from '../../plan/plan.ts';

/**
 * Does a long work whose lines say how long it has been going on and how long it takes: `compiling k8s.io/api (2 min
 * 10 s of about 8 min)`. The last line is told again every few seconds: linking is silent.
 */
export async function tellTime<T>(
  { signal, report }: Run,
  { minutes, interval = 5_000 }: { readonly minutes: number; readonly interval?: number },
  work: (run: Run, stopwatch: Stopwatch) => Promise<T>,
): Promise<T> {
  const stopwatch = startStopwatch();
  let last: string | undefined;
  const tell = (line: string) => {
    last = line;
    report(`${line} (${toDuration(stopwatch.elapsed())} of about ${minutes} min)`);
  };
  const ticking = setInterval(() => last !== undefined && tell(last), interval);
  try {
    return await work({ signal, report: tell }, stopwatch);
  } finally {
    clearInterval(ticking);
  }
}
