import { readLines } from '../lib/lines.ts';
import type { ApiReader } from '../tools/kubernetes/api-server.ts';
import { type LogLine, parseLogLine, toGap } from './log-line.ts';

export interface LogQuery {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Goes on with what is written from now on, until the container ends. */
  readonly follow?: boolean;
  /** The run before the newest. */
  readonly previous?: boolean;
  /** From this time on, to the second. */
  readonly since?: string | undefined;
  /** At most so many of the last lines. */
  readonly tail?: number | undefined;
}

/** What the node says in place of a log that it has thrown away. */
const lost = /^unable to retrieve container logs for /;

/** The lines of a container's log, as many at a time as have come. @throws {ApiFailure} */
export async function* readLog(
  api: ApiReader,
  { namespace, pod, container, follow = false, previous = false, since, tail }: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<readonly LogLine[], void> {
  const query = new URLSearchParams({
    container,
    timestamps: 'true',
    ...(follow ? { follow: 'true' } : {}),
    ...(previous ? { previous: 'true' } : {}),
    ...(since === undefined ? {} : { sinceTime: since }),
    ...(tail === undefined ? {} : { tailLines: String(tail) }),
  });
  const stream = await api.open(`/api/v1/namespaces/${namespace}/pods/${pod}/log?${query}`, signal);
  let last = since ?? '';
  for await (const lines of readLines(stream)) {
    const parsed = lines.map((line) => {
      const logLine = parseLogLine(line, last);
      if (logLine.time === last && lost.test(line)) return toGap(last);
      last = logLine.time;
      return logLine;
    });
    yield parsed;
  }
}
