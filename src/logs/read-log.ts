import { readLines } from '../lib/lines.ts';
import type { ApiReader } from '../tools/kubernetes/api-server.ts';
import { type LogLine, parseLogLine, toGap } from './log-line.ts';

export interface LogQuery {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Also sends new lines until the container ends. */
  readonly follow?: boolean;
  /** Reads the run before the newest. */
  readonly previous?: boolean;
  /** Only lines from this time on, with a resolution of one second. */
  readonly since?: string | undefined;
  /** Maximum number of last lines. */
  readonly tail?: number | undefined;
}

/** The kubelet writes this in place of a log that it has removed. */
const unavailable = /^unable to retrieve container logs for /;

/** Reads a container's log and yields the lines in the chunks in which they arrive. @throws {ApiFailure} */
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
  let lastTime = since ?? '';
  for await (const lines of readLines(stream)) {
    const parsed = lines.map((line) => {
      const logLine = parseLogLine(line, lastTime);
      if (logLine.time === lastTime && unavailable.test(line)) return toGap(lastTime);
      lastTime = logLine.time;
      return logLine;
    });
    yield parsed;
  }
}
