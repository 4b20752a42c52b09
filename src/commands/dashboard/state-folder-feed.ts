import { type FSWatcher, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import type { DashboardState } from '../../dashboard/dashboard-state.ts';
import { createRestartableTask } from '../../lib/restartable-task.ts';
import { findLockOwner } from '../../state/lock.ts';
import { listRuns } from '../../state/runs.ts';
import { toRun } from './to-run.ts';

export interface StateFolderDeps {
  readonly app: Pick<App, 'paths'>;
  readonly environment: Environment;
  readonly update: (change: (state: DashboardState) => DashboardState) => void;
  /** Called when a file has changed that names the cluster. */
  readonly onCluster: () => void;
  /** Called when a run has begun, has ended, or has done a step. */
  readonly onRuns: () => void;
  readonly onError: (error: unknown) => void;
}

/** How many runs the page has. */
const shownRuns = 120;
/** Milliseconds for which changes are collected, and after which a lock is looked at again while it is held. */
const collectTime = 60;
const heldInterval = 2_000;

/** Shows the runs and who holds the lock, as their files change, until the signal is aborted. */
export async function followStateFolder(deps: StateFolderDeps, signal: AbortSignal): Promise<void> {
  const { app, environment, update, onCluster, onRuns, onError } = deps;
  const { state: folder } = app.paths;
  const lock = join(folder, 'lock');
  const services = Object.keys(environment.services);
  let timer: NodeJS.Timeout | undefined;

  const readRuns = createRestartableTask(
    async (limited) => {
      await sleep(collectTime, undefined, { signal: limited });
      const all = await listRuns(app.paths);
      const runs = all.slice(0, shownRuns).map((run) => toRun(run, services));
      const last = all.find(({ state }) => state !== 'running');
      const interrupted = last?.steps.filter(({ state }) => state === 'interrupted') ?? [];
      update((state) => ({
        ...state,
        runs: Object.fromEntries(runs.map((run) => [run.id, run])),
        interrupted: interrupted.map(({ step }) => step),
      }));
      onRuns();
    },
    { signal, onError },
  );

  const readLock = createRestartableTask(
    async () => {
      const owner = await findLockOwner(lock);
      const shown = owner && { command: owner.command, pid: owner.pid, since: owner.since };
      update(({ lock: _, ...state }) => (shown ? { ...state, lock: shown } : state));
      clearTimeout(timer);
      // An owner that is killed changes no file.
      if (shown && !signal.aborted) timer = setTimeout(readLock.repeat, heldInterval);
    },
    { signal, onError },
  );

  await mkdir(lock, { recursive: true, mode: 0o700 });
  const watchers: FSWatcher[] = [
    watch(folder, (_, name) => {
      if (name?.startsWith('runs.')) readRuns.repeat();
      if (name === 'kubeconfig' || name === 'cluster.json') onCluster();
      if (name === 'lock') readLock.repeat();
    }),
    watch(lock, readLock.repeat),
  ];
  for (const each of watchers) each.on('error', onError);
  readRuns.repeat();
  readLock.repeat();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearTimeout(timer);
  for (const each of watchers) each.close();
}
