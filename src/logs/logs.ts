import { setMaxListeners } from 'node:events';
import { type ApiReader, isConnectionLost } from '../tools/kubernetes/api-server.ts';
import { type Pods, type WatchOptions, watchPods } from '../tools/kubernetes/watch-pods.ts';
import { type Followed, followContainer } from './follow-log.ts';
import { type LogContainer, listContainers, toQuery, toSource } from './log-containers.ts';
import { createLogCursor, type LogCursor, type LogLine, toLogTime } from './log-line.ts';
import type { LogOptions } from './log-options.ts';
import { mergeLogs } from './merge-logs.ts';
import { readLog } from './read-log.ts';

/**
 * Writes the lines there are, of all wanted containers together in the order of time. With `previous`, those of the
 * run before the newest. Resolves to the number of logs that were read.
 */
export async function printLogs(
  api: ApiReader,
  pods: Pods,
  { previous = false, ...options }: LogOptions & { readonly previous?: boolean },
): Promise<number> {
  const containers = listContainers(pods, options.partOf).filter(
    ({ status }) => !previous || status.restartCount > 0,
  );
  const logs = containers.map((source) => ({ source, cursor: createCursor(options) }));
  await print(api, pods, logs, { ...options, previous });
  return containers.length;
}

export interface FollowOptions extends LogOptions, Pick<WatchOptions, 'onSilence' | 'interval'> {
  /** Told when no container has a log yet. */
  readonly onNothing?: () => void;
}

/**
 * Writes what `printLogs` does, and then what these and later containers write from now on, each line once, through
 * restarts and new pods, until the signal is aborted.
 * @throws {ApiFailure} when the cluster does not answer at first; later it is waited for.
 */
export async function followLogs(api: ApiReader, options: FollowOptions): Promise<never> {
  const trouble = new AbortController();
  const signal = AbortSignal.any([options.signal, trouble.signal]);
  // Every log that is read listens to it.
  setMaxListeners(0, signal);
  const all = { ...options, signal };
  const followed = new Map<string, Followed>();
  let isFirst = true;

  for await (const pods of watchPods(api, all)) {
    const containers = listContainers(pods, options.partOf);
    if (isFirst) {
      isFirst = false;
      if (containers.length === 0) options.onNothing?.();
      const logs = containers.map((source) => ({ source, cursor: createCursor(options) }));
      await print(api, pods, logs, all);
      for (const { source, cursor } of logs) {
        const { containerID: run = '', restartCount: restarts } = source.status;
        followed.set(source.key, { cursor, run, restarts });
      }
    }
    const keys = new Set(containers.map(({ key }) => key));
    for (const [key, { reading }] of followed) if (!keys.has(key) && !reading) followed.delete(key);
    for (const container of containers) {
      const known = followed.get(container.key) ?? { cursor: createLogCursor() };
      followed.set(container.key, known);
      known.reading ??= followContainer(api, pods, container, known, all)
        // Nobody awaits it: what is wrong with it ends all.
        .catch((error) => trouble.abort(error))
        .finally(() => {
          delete known.reading;
        });
    }
  }
  throw signal.reason;
}

interface Log {
  readonly source: LogContainer;
  readonly cursor: LogCursor;
}

/** Writes what the logs hold, without waiting for more. */
async function print(
  api: ApiReader,
  pods: Pods,
  logs: readonly Log[],
  options: LogOptions & { readonly previous?: boolean },
): Promise<void> {
  const { tail, partOf, write, signal } = options;

  async function* readWhole({ source, cursor }: Log) {
    const since = cursor.time;
    const query = { ...toQuery(source, options), tail, previous: options.previous ?? false, since };
    try {
      for await (const lines of readLog(api, query, signal)) yield cursor.take(lines);
    } catch (error) {
      signal.throwIfAborted();
      // One log that is gone, or not there yet, is no reason to keep the others back.
      if (!isConnectionLost(error)) throw error;
    }
  }

  for await (const merged of mergeLogs(logs.map((log) => ({ source: log.source, lines: readWhole(log) })))) {
    for (const { source, lines } of groupBySource(merged)) await write(toSource(pods, partOf, source), lines);
  }
}

/** Neighbours of the same source together: their order stays. */
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

/** From where the person wants it: none of the lines there are is all that is written from now on. */
function createCursor({ since, tail }: LogOptions): LogCursor {
  const from = tail === 0 ? Date.now() : since;
  return createLogCursor(from === undefined ? undefined : toLogTime(from));
}
