import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import type { DashboardState } from '../../dashboard/dashboard-state.ts';
import { serveDashboard } from '../../dashboard/serve.ts';
import type { Tab } from '../../dashboard/tabs.ts';
import { ensureToken } from '../../dashboard/token.ts';
import { Failure } from '../../lib/failure.ts';
import { ensureStateFolder } from '../../state/state-folder.ts';
import { isLocal } from '../context/environment.ts';
import { createAnswers } from './answers.ts';
import { createForwardFeed, listForwardTargets } from './forward-feed.ts';
import { createLiveFeeds } from './live-feeds.ts';
import { openBrowser } from './open-browser.ts';
import { createTasks } from './tasks.ts';
import { toUnknownParts } from './to-parts.ts';

export interface DashboardOptions {
  /** Name of the environment; undefined for the chosen one. */
  readonly env: string | undefined;
  /** The only port to use; undefined for 4280 or the next free one. */
  readonly port: number | undefined;
  /** Opens the page in the browser. */
  readonly open: boolean;
}

const usualPort = 4_280;
const triedPorts = 100;

/** Milliseconds for which the cluster is followed after the last tab was closed, as while a page is loaded again. */
const graceTime = 3_000;

/**
 * Serves the dashboard until the signal is aborted. While no tab is open, nothing is watched and nobody is asked.
 * @throws {Failure} exit code 4 when no port is free.
 */
export async function runDashboard(app: App, { env, port, open }: DashboardOptions): Promise<never> {
  const environment = await app.environment({ name: env });
  await ensureStateFolder(app.paths);
  const token = await ensureToken(app.paths);
  let crash: (error: unknown) => void = () => {};
  const crashed = new Promise<never>((_, reject) => {
    crash = reject;
  });

  const update = (change: (state: DashboardState) => DashboardState) => dashboard.tabs.update(change);
  const feeds = createLiveFeeds({ app, environment, update });
  const tasks = createTasks({ app, update });
  const forwards = isLocal(environment) ? createForwardFeed({ app, environment, update }) : undefined;
  const answers = createAnswers({ app, environment, feeds, tasks, forwards, update });
  const onCount = followWhileOpen(app.signal, (signal) => feeds.run(signal).catch(crash));

  const dashboard = await serveDashboard({
    ...{ checkout: app.paths.checkout, token, onCount },
    port: port ?? usualPort,
    tried: port === undefined ? triedPorts : 1,
    state: toFirstState(environment),
    onRequest: (tab: Tab, request) => answers.take(tab, request).catch(crash),
  });
  try {
    const { url } = dashboard;
    app.ui.result({ version: 1, url, port: dashboard.port }, url);
    app.ui.say(app.ui.colors.dim('open until Ctrl-C'));
    if (open) await openBrowser(app, url);
    return await Promise.race([crashed, dashboard.failed, untilAborted(app.signal)]);
  } finally {
    dashboard.close();
  }
}

/** Returns a function that takes the number of open tabs, and runs `follow` while there is one. */
function followWhileOpen(
  signal: AbortSignal,
  follow: (signal: AbortSignal) => Promise<void>,
): (count: number) => void {
  let following: AbortController | undefined;
  let ended: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  return (count) => {
    clearTimeout(timer);
    if (count === 0) {
      timer = setTimeout(() => {
        following?.abort(new Failure('no tab is open'));
        following = undefined;
      }, graceTime);
      return;
    }
    if (following) return;
    const own = new AbortController();
    following = own;
    ended = ended.then(() => follow(AbortSignal.any([signal, own.signal])));
  };
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Before anything was asked: the rows of the configuration. */
function toFirstState(environment: Environment): DashboardState {
  const { name, namespace, cluster, context } = environment;
  return {
    environment: { name, namespace, readOnly: !isLocal(environment) },
    cluster: { name: cluster?.name ?? context ?? name, state: 'loading' },
    parts: toUnknownParts(environment),
    causes: { list: [] },
    runs: {},
    interrupted: [],
    tasks: {},
    forwards: {},
    forwardTargets: isLocal(environment) ? listForwardTargets(environment) : {},
    usage: {},
  };
}
