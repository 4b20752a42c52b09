import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiFailure, type ApiServer, isConnectionLost } from '../tools/api-server.ts';
import {
  findContainer,
  type LogContainer,
  type LogSource,
  listContainers,
  toSource,
} from './log-containers.ts';
import { createLogCursor, type LogCursor, type LogLine, toLogTime } from './log-line.ts';
import { mergeLogs } from './merge-logs.ts';
import type { PartOf } from './parts.ts';
import { getPod, type Pods, type WatchOptions, watchPods } from './pod-watch.ts';
import { type LogQuery, readLog } from './read-log.ts';

export interface LogOptions {
  readonly namespace: string;
  readonly partOf: PartOf;
  /** Of each container, at most so many of the lines written so far. */
  readonly tail?: number | undefined;
  /** What was written before this time, in milliseconds since the epoch, is left out. */
  readonly since?: number | undefined;
  /** Takes lines of one source; resolves when there is room for more. */
  readonly write: (source: LogSource, lines: readonly LogLine[]) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Writes the lines there are, of all wanted containers together in the order of time. With `previous`, those of the
 * run before the newest. Resolves to the number of logs that were read.
 */
export async function printLogs(
  api: ApiServer,
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

export interface FollowOptions extends LogOptions, Pick<WatchOptions, 'onSilence' | 'every'> {
  /** Told when no container has a log yet. */
  readonly onNothing?: () => void;
}

/** What is known of a container while its log is followed. */
interface Followed {
  readonly cursor: LogCursor;
  /** The newest run that was read from. */
  run?: string;
  /** The run that was read to its end. */
  ended?: string;
  reading?: Promise<void>;
}

/** Milliseconds after which a log that broke off is read on. */
const pause = 300;

/**
 * Writes what `printLogs` does, and then what these and later containers write from now on, each line once, through
 * restarts and new pods, until the signal is aborted.
 * @throws {ApiFailure} when the cluster does not answer at first; later it is waited for.
 */
export async function followLogs(api: ApiServer, options: FollowOptions): Promise<never> {
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
        followed.set(source.key, { cursor, run: source.status.containerID ?? '' });
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

/** Reads on until the container has ended for good, for now, or is gone. */
async function followContainer(
  api: ApiServer,
  pods: Pods,
  container: LogContainer,
  known: Followed,
  options: LogOptions,
): Promise<void> {
  const { partOf, write, signal } = options;
  for (;;) {
    try {
      // Asked anew: what the watch has not told yet may be a run that would be left out.
      const now = await findNow(api, container, options);
      const run = now?.status.containerID;
      if (!now || run === undefined || run === known.ended) return;
      // What the run before wrote at last, or all of it, where it was short.
      if (known.run !== undefined && known.run !== run) await readOn({ previous: true }, 'again');
      const isSame = known.run === run;
      known.run = run;
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

  async function readOn(how: Pick<LogQuery, 'follow' | 'previous'>, what: 'again' | 'next'): Promise<void> {
    known.cursor.rewind(what);
    const query = { ...toQuery(container, options), ...how, since: known.cursor.time };
    for await (const lines of readLog(api, query, signal)) {
      const fresh = known.cursor.take(lines);
      if (fresh.length > 0) await write(toSource(pods, partOf, container), fresh);
    }
  }
}

async function findNow(
  api: ApiServer,
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

interface Log {
  readonly source: LogContainer;
  readonly cursor: LogCursor;
}

/** Writes what the logs hold, without waiting for more. */
async function print(
  api: ApiServer,
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

function toQuery({ pod, status }: LogContainer, { namespace }: LogOptions): LogQuery {
  return { namespace, pod: pod.metadata.name, container: status.name };
}

/** From where the person wants it: none of the lines there are is all that is written from now on. */
function createCursor({ since, tail }: LogOptions): LogCursor {
  const from = tail === 0 ? Date.now() : since;
  return createLogCursor(from === undefined ? undefined : toLogTime(from));
}
