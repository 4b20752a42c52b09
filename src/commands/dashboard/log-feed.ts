import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import type { FailureView, LogQuery, SentLine, SentSource } from '../../dashboard/protocol.ts';
import type { Tab } from '../../dashboard/tabs.ts';
import { Failure } from '../../lib/failure.ts';
import type { LogSource } from '../../logs/log-containers.ts';
import { createLevelReader, levels } from '../../logs/log-level.ts';
import type { LogLine } from '../../logs/log-line.ts';
import { createLogQueue } from '../../logs/log-queue.ts';
import { followLogs, printLogs } from '../../logs/logs.ts';
import type { ApiReader } from '../../tools/kubernetes/api-server.ts';
import { findComponent, type Pod } from '../../tools/kubernetes/objects.ts';
import { listPods } from '../../tools/kubernetes/watch-pods.ts';
import { openCredit } from './log-credit.ts';

export interface LogFeedDeps {
  readonly app: Pick<App, 'signal'>;
  readonly environment: Environment;
  /** Reads the secrets first, so that none is shown. @throws {Failure} without a cluster. */
  readonly openApi: () => Promise<ApiReader>;
}

/** The logs that one tab reads. */
export interface LogFeed {
  start(id: string, query: LogQuery): void;
  credit(id: string, lines: number): void;
  end(id: string): void;
}

/** Lines of one message: a tab draws between two of them. */
const linesPerMessage = 400;
/** Characters that may wait for a slow tab: beyond that lines are left out and counted. */
const maxWaiting = 4 * 1024 * 1024;

export function createLogFeed(deps: LogFeedDeps, tab: Tab): LogFeed {
  const open = new Map<string, { readonly abort: AbortController; readonly add: (lines: number) => void }>();

  async function follow(
    id: string,
    query: LogQuery,
    signal: AbortSignal,
    credit: ReturnType<typeof openCredit>,
  ) {
    const send = createSender(tab, id);
    const write = async (source: LogSource, lines: readonly LogLine[]) => {
      for (let at = 0; at < lines.length; at += linesPerMessage) {
        const some = lines.slice(at, at + linesPerMessage);
        await credit.take(some.length, signal);
        send(source, some);
      }
    };
    const api = await deps.openApi();
    const options = {
      namespace: deps.environment.namespace,
      componentOf: (pod: Pod) => {
        const component = findComponent(pod);
        const isWanted =
          query.components.length === 0 || (component !== undefined && query.components.includes(component));
        return isWanted ? component : undefined;
      },
      tail: query.tail,
      since: query.since === undefined ? undefined : Date.now() - query.since,
      signal,
    };
    if (query.previous) {
      const pods = await listPods(api, options.namespace, signal);
      const read = await printLogs(api, pods, { ...options, write, previous: true });
      if (read === 0) throw new Failure('no container has been restarted');
      return;
    }
    // Reading must not wait for the tab, or the node rotates unread lines away, and nobody knows how many.
    const queue = createLogQueue({ maxWaiting, write });
    const offer = async (source: LogSource, lines: readonly LogLine[]) => queue.offer(source, lines);
    await Promise.race([followLogs(api, { ...options, write: offer }), queue.failed]);
  }

  return {
    start(id, query) {
      const abort = new AbortController();
      const credit = openCredit();
      open.set(id, { abort, add: credit.add });
      const signal = AbortSignal.any([deps.app.signal, tab.closed, abort.signal]);
      follow(id, query, signal, credit)
        .then(() => tab.send({ type: 'lines-end', id }))
        .catch((error: unknown) => {
          if (!signal.aborted) tab.send({ type: 'lines-end', id, error: toFailureView(error) });
        })
        .finally(() => open.delete(id));
    },
    credit: (id, lines) => open.get(id)?.add(lines),
    end(id) {
      open.get(id)?.abort.abort();
      open.delete(id);
    },
  };
}

function toFailureView(error: unknown): FailureView {
  if (!(error instanceof Failure)) return { message: error instanceof Error ? error.message : String(error) };
  return { message: error.message, ...(error.hint === undefined ? {} : { fix: error.hint }) };
}

/** Sends lines with the index of their source, which is named with its first line only. */
function createSender(tab: Tab, id: string) {
  const known = new Map<
    string,
    { readonly index: number; readonly toLevel: ReturnType<typeof createLevelReader> }
  >();
  return (source: LogSource, lines: readonly LogLine[]): void => {
    const { component, pod, container } = source;
    const key = `${pod}/${container}`;
    const found = known.get(key) ?? { index: known.size, toLevel: createLevelReader() };
    const isNew = !known.has(key);
    known.set(key, found);
    const sources: Record<number, SentSource> | undefined = isNew
      ? { [found.index]: { component, pod, container } }
      : undefined;
    tab.send({
      type: 'lines',
      id,
      ...(sources ? { sources } : {}),
      lines: lines.map(({ time, text, isGap, missing }): SentLine => {
        if (isGap) return [found.index, time, 0, text, missing ?? -1];
        return [found.index, time, levels.indexOf(found.toLevel(text)), text];
      }),
    });
  };
}
