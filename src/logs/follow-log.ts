import { setTimeout as sleep } from 'node:timers/promises';
import { ApiFailure, type ApiReader, isConnectionLost } from '../tools/kubernetes/api-server.ts';
import { getPod, type Pods } from '../tools/kubernetes/watch-pods.ts';
import { findContainer, type LogContainer, toQuery, toSource } from './log-containers.ts';
import { type LogCursor, type LogLine, toGap } from './log-line.ts';
import type { LogOptions } from './log-options.ts';
import { type LogQuery, readLog } from './read-log.ts';

/** The reading state of a container whose log is followed. */
export interface FollowedLog {
  readonly cursor: LogCursor;
  /** Container ID of the newest run that was read. */
  runId?: string;
  /** Restart count of that run. */
  restartCount?: number;
  /** Container ID of the last run that was read to its end. */
  endedRun?: string;
  reading?: Promise<void>;
}

/** Milliseconds until an interrupted log is read again. */
const retryDelay = 300;

/** Milliseconds without a line after which newer lines are checked for: a stream may stall when its log is rotated. */
const defaultSilenceTimeout = 15_000;

/** Follows the log until the container has ended or was removed; a later restart needs another call. */
export async function followContainer(
  api: ApiReader,
  pods: Pods,
  container: LogContainer,
  log: FollowedLog,
  options: LogOptions,
): Promise<void> {
  const { componentOf, write, signal, silenceTimeout = defaultSilenceTimeout } = options;
  const { cursor } = log;
  for (;;) {
    try {
      // Requested again, because the watch may not have reported the newest run yet.
      const current = await findCurrent(api, container, options);
      const runId = current?.status.containerID;
      if (!current || runId === undefined || runId === log.endedRun) return;
      if (log.runId !== undefined && log.runId !== runId) await readPreviousRun(current);
      const isSameRun = log.runId === runId;
      log.runId = runId;
      log.restartCount = current.status.restartCount;
      await resume({ follow: true }, isSameRun ? 'same-run' : 'next-run');
      if (current.status.state?.running === undefined) {
        log.endedRun = runId;
        return;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!isConnectionLost(error)) throw error;
    }
    await sleep(retryDelay, undefined, { signal });
  }

  /** Reads the rest of the previous run, or all of it when none of it was read. */
  async function readPreviousRun({ status: { restartCount } }: LogContainer): Promise<void> {
    const newRuns = restartCount - (log.restartCount ?? 0);
    const isPreviousComplete = log.endedRun === log.runId;
    if (isPreviousComplete && newRuns === 1) return;
    try {
      await resume({ previous: true }, isPreviousComplete && newRuns === 2 ? 'next-run' : 'same-run');
    } catch (error) {
      // The node keeps only one previous run, and not for long.
      if (!(error instanceof ApiFailure) || error.status === undefined) throw error;
      await emit([toGap(cursor.time ?? '')]);
    }
  }

  async function resume(
    queryOptions: Pick<LogQuery, 'follow' | 'previous'>,
    target: 'same-run' | 'next-run',
  ): Promise<void> {
    cursor.rewind(target);
    const query = { ...toQuery(container, options), ...queryOptions, since: cursor.time };
    const stalled = new AbortController();
    const combined = AbortSignal.any([signal, stalled.signal]);
    const watchdog = queryOptions.follow
      ? setInterval(() => void checkForNewLines(stalled), silenceTimeout)
      : undefined;
    try {
      for await (const lines of readLog(api, query, combined)) {
        watchdog?.refresh();
        const newLines = cursor.take(lines);
        if (newLines.length > 0) await emit(newLines);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!stalled.signal.aborted) throw error;
    } finally {
      clearInterval(watchdog);
    }
  }

  /** Aborts a stream that is stalled although its log has newer lines. */
  async function checkForNewLines(stalled: AbortController): Promise<void> {
    const lastTime = cursor.time ?? '';
    try {
      for await (const lines of readLog(api, { ...toQuery(container, options), tail: 1 }, signal)) {
        const hasNewLines = lines.some(({ time, isGap }) => !isGap && time > lastTime);
        // Lines that are in transit arrive in the meantime.
        if (hasNewLines) await sleep(retryDelay, undefined, { signal });
        if (hasNewLines && lastTime === (cursor.time ?? '')) stalled.abort();
      }
    } catch {
      // When the cluster does not respond or the log was removed, the stream itself fails.
    }
  }

  async function emit(lines: readonly LogLine[]): Promise<void> {
    await write(toSource(pods, componentOf, container), lines);
  }
}

async function findCurrent(
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
