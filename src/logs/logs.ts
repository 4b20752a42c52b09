import { setMaxListeners } from 'node:events';
import { type ApiReader, isConnectionLost } from '../tools/kubernetes/api-server.ts';
import { type Pods, type WatchOptions, watchPods } from '../tools/kubernetes/watch-pods.ts';
import { type FollowedLog, followContainer } from './follow-log.ts';
import { type LogContainer, listContainers, toQuery, toSource } from './log-containers.ts';
import { createLogCursor, type LogCursor, type LogLine, toLogTime } from './log-line.ts';
import type { LogOptions } from './log-options.ts';
import { mergeLogs } from './merge-logs.ts';
import { readLog } from './read-log.ts';

/**
 * Writes the existing lines of all selected containers, merged in time order. With `previous`, the lines of the run
 * before the newest. Resolves to the number of logs that were read.
 */
export async function printLogs(
  api: ApiReader,
  pods: Pods,
  { previous = false, ...options }: LogOptions & { readonly previous?: boolean },
): Promise<number> {
  const containers = listContainers(pods, options.componentOf).filter(
    ({ status }) => !previous || status.restartCount > 0,
  );
  const logs = containers.map((source) => ({ source, cursor: createCursor(options) }));
  await print(api, pods, logs, { ...options, previous });
  return containers.length;
}

export interface FollowOptions extends LogOptions, Pick<WatchOptions, 'onSilence' | 'interval'> {
  /** Called when no container has a log yet. */
  readonly onNoLogs?: () => void;
}

/**
 * Writes what `printLogs` writes, then new lines of these and later containers, each line once, through restarts and
 * new pods, until the signal is aborted.
 * @throws {ApiFailure} when the cluster does not respond at the start; later outages are waited out.
 */
export async function followLogs(api: ApiReader, options: FollowOptions): Promise<never> {
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  // Every open log adds a listener.
  setMaxListeners(0, signal);
  const followOptions = { ...options, signal };
  const followed = new Map<string, FollowedLog>();
  let isFirst = true;

  for await (const pods of watchPods(api, followOptions)) {
    const containers = listContainers(pods, options.componentOf);
    if (isFirst) {
      isFirst = false;
      if (containers.length === 0) options.onNoLogs?.();
      const logs = containers.map((source) => ({ source, cursor: createCursor(options) }));
      await print(api, pods, logs, followOptions);
      for (const { source, cursor } of logs) {
        const { containerID: runId = '', restartCount } = source.status;
        followed.set(source.key, { cursor, runId, restartCount });
      }
    }
    const keys = new Set(containers.map(({ key }) => key));
    for (const [key, { reading }] of followed) if (!keys.has(key) && !reading) followed.delete(key);
    for (const container of containers) {
      const followedLog = followed.get(container.key) ?? { cursor: createLogCursor() };
      followed.set(container.key, followedLog);
      followedLog.reading ??= followContainer(api, pods, container, followedLog, followOptions)
        // This promise is not awaited: its error ends the whole command.
        .catch((error) => failure.abort(error))
        .finally(() => {
          delete followedLog.reading;
        });
    }
  }
  throw signal.reason;
}

interface Log {
  readonly source: LogContainer;
  readonly cursor: LogCursor;
}

/** Writes the existing lines of the logs, without waiting for more. */
async function print(
  api: ApiReader,
  pods: Pods,
  logs: readonly Log[],
  options: LogOptions & { readonly previous?: boolean },
): Promise<void> {
  const { tail, componentOf, write, signal } = options;

  async function* readAvailable({ source, cursor }: Log) {
    const since = cursor.time;
    const query = { ...toQuery(source, options), tail, previous: options.previous ?? false, since };
    try {
      for await (const lines of readLog(api, query, signal)) yield cursor.take(lines);
    } catch (error) {
      signal.throwIfAborted();
      // A log that was removed or does not exist yet must not hide the others.
      if (!isConnectionLost(error)) throw error;
    }
  }

  for await (const merged of mergeLogs(
    logs.map((log) => ({ source: log.source, lines: readAvailable(log) })),
  )) {
    for (const { source, lines } of groupBySource(merged))
      await write(toSource(pods, componentOf, source), lines);
  }
}

/** Groups adjacent lines of the same source and preserves their order. */
function groupBySource(
  merged: readonly { readonly source: LogContainer; readonly line: LogLine }[],
): readonly { readonly source: LogContainer; readonly lines: readonly LogLine[] }[] {
  const groups: { source: LogContainer; lines: LogLine[] }[] = [];
  for (const { source, line } of merged) {
    const last = groups.at(-1);
    if (last?.source === source) last.lines.push(line);
    else groups.push({ source, lines: [line] });
  }
  return groups;
}

/** Starts where the user asked. `tail: 0` means only lines from now on. */
function createCursor({ since, tail }: LogOptions): LogCursor {
  const from = tail === 0 ? Date.now() : since;
  return createLogCursor(from === undefined ? undefined : toLogTime(from));
}
