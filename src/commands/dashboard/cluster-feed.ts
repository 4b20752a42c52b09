import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import type { ClusterView, DashboardState, PartView } from '../../dashboard/dashboard-state.ts';
import type { Snapshot } from '../../diagnosis/snapshot.ts';
import { isTimeout, withDeadline } from '../../lib/deadline.ts';
import { Failure } from '../../lib/failure.ts';
import { createRestartableTask } from '../../lib/restartable-task.ts';
import { isConnectionLost } from '../../tools/kubernetes/api-server.ts';
import { watchChanges } from '../../tools/kubernetes/watch-changes.ts';
import { askCluster, type ClusterAccess } from '../context/cluster.ts';
import { toUnknownParts } from './to-parts.ts';

/** A cluster that may be there: of this machine, or a remote one. */
export interface ClusterSource {
  readonly name: string;
  /** Undefined when none was created. @throws {Failure} as `openRemote`. */
  open(): Promise<ClusterAccess | undefined>;
  /** Why there is no snapshot. */
  explain(silence: string | undefined): Promise<Pick<ClusterView, 'state' | 'evidence' | 'next'>>;
  /** Collections whose changes may change what is shown. */
  readonly watched: readonly string[];
  toParts(snapshot: Snapshot): Readonly<Record<string, PartView>>;
}

export interface ClusterFeedDeps {
  readonly app: Pick<App, 'signal'>;
  readonly environment: Environment;
  readonly source: ClusterSource;
  readonly update: (change: (state: DashboardState) => DashboardState) => void;
  /** Called after each snapshot, once it is shown. */
  readonly onSnapshot: (snapshot: Snapshot, access: ClusterAccess) => void;
  /** Milliseconds between two attempts while there is no cluster, or it does not respond. */
  readonly retryInterval?: number;
  /** Milliseconds between two requests that show that the API server responds, since a paused one closes no connection. */
  readonly heartbeat?: number;
}

export interface ClusterFeed {
  /** Follows the cluster until the signal is aborted, whatever becomes of it. */
  run(signal: AbortSignal): Promise<void>;
  /** Looks for the cluster again, as when its files have changed. */
  lookAgain(): void;
  /** Shows the last snapshot again, as when the sources have changed. */
  show(): void;
}

/** Milliseconds for which changes are collected before the next snapshot, and in which a request must be answered. */
const collectTime = 25;
const responseTimeout = 5_000;

export function createClusterFeed(deps: ClusterFeedDeps): ClusterFeed {
  const { environment, source, update, onSnapshot, retryInterval = 1_000, heartbeat = 3_000 } = deps;
  let last: Snapshot | undefined;
  let asOf: string | undefined;
  let wake = new AbortController();

  function show(): void {
    const snapshot = last;
    if (!snapshot) return;
    const parts = source.toParts(snapshot);
    update((state) => ({
      ...state,
      cluster: { name: source.name, state: 'running', ...(asOf === undefined ? {} : { asOf }) },
      parts,
    }));
  }

  function take(snapshot: Snapshot, access: ClusterAccess): void {
    last = snapshot;
    asOf = new Date(snapshot.time).toISOString();
    show();
    onSnapshot(snapshot, access);
  }

  async function showAbsence(silence: string | undefined): Promise<void> {
    const found = await source.explain(silence);
    const isGone = found.state === 'missing' || found.state === 'stopped';
    if (isGone) last = undefined;
    update(({ ingress: _, ...state }) => ({
      ...state,
      cluster: { name: source.name, ...found, ...(asOf === undefined || isGone ? {} : { asOf }) },
      // The last picture stays where the cluster may come back as it was.
      ...(isGone ? { parts: toUnknownParts(environment), causes: { list: [] } } : {}),
    }));
  }

  /** Resolves, with the reason, when the API server no longer responds; without one when its files have changed. */
  async function watch(access: ClusterAccess, signal: AbortSignal): Promise<string | undefined> {
    const lost = new AbortController();
    const watching = AbortSignal.any([signal, lost.signal, wake.signal]);
    setMaxListeners(0, watching);
    const api = await access.openApi();
    const refresh = createRestartableTask(
      async (limited) => {
        await sleep(collectTime, undefined, { signal: limited });
        const ask = { timeout: responseTimeout, signal: limited };
        take(await withDeadline(ask, (each) => access.snapshots.take(each)), access);
      },
      { signal: watching, onError: (error) => lost.abort(error) },
    );
    const watches = source.watched.map((path) =>
      watchChanges(api, path, { signal: watching, onChange: refresh.repeat }),
    );
    try {
      return await Promise.race([...watches.map(untilAborted), beat()]);
    } catch (error) {
      signal.throwIfAborted();
      if (wake.signal.aborted) return undefined;
      const reason = lost.signal.aborted ? lost.signal.reason : error;
      if (isTimeout(reason) || reason instanceof Failure || isConnectionLost(reason))
        return String(reason.message);
      throw reason;
    } finally {
      lost.abort();
      await Promise.allSettled(watches);
    }

    /** A collection that may not be watched ends alone. */
    async function untilAborted(each: Promise<void>): Promise<never> {
      await each;
      return new Promise((_, reject) => watching.addEventListener('abort', () => reject(watching.reason)));
    }

    async function beat(): Promise<never> {
      for (;;) {
        await sleep(heartbeat, undefined, { signal: watching });
        await withDeadline({ timeout: heartbeat, signal: watching }, (each) => api.get('/version', each));
        asOf = new Date().toISOString();
      }
    }
  }

  async function runOnce(signal: AbortSignal): Promise<void> {
    wake = new AbortController();
    try {
      const access = await source.open();
      const answer = access && (await askCluster(access, signal));
      if (access && answer?.snapshot) {
        take(answer.snapshot, access);
        const reason = await watch(access, signal);
        if (reason !== undefined) await showAbsence(reason);
        return;
      }
      await showAbsence(answer?.silence);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      await showAbsence(error.message);
    }
    const woken = AbortSignal.any([signal, wake.signal]);
    await sleep(retryInterval, undefined, { signal: woken }).catch(() => {});
  }

  return {
    async run(signal) {
      while (!signal.aborted) await runOnce(signal);
    },
    lookAgain: () => wake.abort(),
    show,
  };
}
