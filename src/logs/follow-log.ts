import { setTimeout as sleep } from 'node:timers/promises';
import { ApiFailure, type ApiReader, isConnectionLost } from '../tools/kubernetes/api-server.ts';
import { getPod, type Pods } from '../tools/kubernetes/watch-pods.ts';
import { findContainer, type LogContainer, toQuery, toSource } from './log-containers.ts';
import { type LogCursor, type LogLine, toGap } from './log-line.ts';
import type { LogOptions } from './log-options.ts';
import { type LogQuery, readLog } from './read-log.ts';

/** What is known of a container while its log is followed. */
export interface Followed {
  readonly cursor: LogCursor;
  /** The newest run that was read from, and how many there were before it. */
  run?: string;
  restarts?: number;
  /** The run that was read to its end. */
  ended?: string;
  reading?: Promise<void>;
}

/** Milliseconds after which a log that broke off is read on. */
const pause = 300;

/** Milliseconds without a line after which it is asked whether there are some: a log that was rotated may fall silent. */
const quiet = 15_000;

/** Reads on until the container has ended for good, for now, or is gone. */
export async function followContainer(
  api: ApiReader,
  pods: Pods,
  container: LogContainer,
  known: Followed,
  options: LogOptions,
): Promise<void> {
  const { partOf, write, signal, quietFor = quiet } = options;
  const { cursor } = known;
  for (;;) {
    try {
      // Asked anew: what the watch has not told yet may be a run that would be left out.
      const now = await findNow(api, container, options);
      const run = now?.status.containerID;
      if (!now || run === undefined || run === known.ended) return;
      if (known.run !== undefined && known.run !== run) await readBefore(now);
      const isSame = known.run === run;
      known.run = run;
      known.restarts = now.status.restartCount;
      await readOn({ follow: true }, isSame ? 'again' : 'next');
      if (now.status.state?.running === undefined) {
        known.ended = run;
        return;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!isConnectionLost(error)) throw error;
    }
    await sleep(pause, undefined, { signal });
  }

  /** What the run before this one wrote at last, or all of it, where it was short. */
  async function readBefore({ status: { restartCount } }: LogContainer): Promise<void> {
    const since = restartCount - (known.restarts ?? 0);
    const isWhole = known.ended === known.run;
    if (isWhole && since === 1) return;
    try {
      await readOn({ previous: true }, isWhole && since === 2 ? 'next' : 'again');
    } catch (error) {
      // The node keeps one run beside the present one, and not for long.
      if (!(error instanceof ApiFailure) || error.status === undefined) throw error;
      await give([toGap(cursor.time ?? '')]);
    }
  }

  async function readOn(how: Pick<LogQuery, 'follow' | 'previous'>, what: 'again' | 'next'): Promise<void> {
    cursor.rewind(what);
    const query = { ...toQuery(container, options), ...how, since: cursor.time };
    const stuck = new AbortController();
    const either = AbortSignal.any([signal, stuck.signal]);
    const watchdog = how.follow ? setInterval(() => void lookForMore(stuck), quietFor) : undefined;
    try {
      for await (const lines of readLog(api, query, either)) {
        watchdog?.refresh();
        const fresh = cursor.take(lines);
        if (fresh.length > 0) await give(fresh);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!stuck.signal.aborted) throw error;
    } finally {
      clearInterval(watchdog);
    }
  }

  /** Breaks off a stream that has fallen silent although its log goes on. */
  async function lookForMore(stuck: AbortController): Promise<void> {
    const before = cursor.time ?? '';
    try {
      for await (const lines of readLog(api, { ...toQuery(container, options), tail: 1 }, signal)) {
        const isLater = lines.some(({ time, isGap }) => !isGap && time > before);
        // What is only on its way will have come in a moment.
        if (isLater) await sleep(pause, undefined, { signal });
        if (isLater && before === (cursor.time ?? '')) stuck.abort();
      }
    } catch {
      // Of a cluster that does not answer, or a log that is gone, the stream itself will tell.
    }
  }

  async function give(lines: readonly LogLine[]): Promise<void> {
    await write(toSource(pods, partOf, container), lines);
  }
}

async function findNow(
  api: ApiReader,
  container: LogContainer,
  { namespace, signal }: LogOptions,
): Promise<LogContainer | undefined> {
  try {
    return findContainer(await getPod(api, namespace, container.pod.metadata.name, signal), container);
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 404) return undefined;
    throw error;
  }
}
