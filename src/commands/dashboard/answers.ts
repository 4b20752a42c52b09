import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import type { DashboardState } from '../../dashboard/dashboard-state.ts';
import type { Action, Question, Request } from '../../dashboard/protocol.ts';
import type { Tab } from '../../dashboard/tabs.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { followApi } from '../../tools/kubernetes/follow-api.ts';
import { isLocal } from '../context/environment.ts';
import { openCluster } from '../context/open-cluster.ts';
import type { ForwardFeed } from './forward-feed.ts';
import { hideSecrets, type LiveFeeds } from './live-feeds.ts';
import { createLogFeed, type LogFeed } from './log-feed.ts';
import type { TaskResult, Tasks } from './tasks.ts';
import { readUsage } from './usage.ts';

export interface AnswersDeps {
  readonly app: App;
  readonly environment: Environment;
  readonly feeds: LiveFeeds;
  readonly tasks: Tasks;
  /** Undefined for a remote environment. */
  readonly forwards: ForwardFeed | undefined;
  readonly update: (change: (state: DashboardState) => DashboardState) => void;
}

/** What follows a request of a tab. */
export interface Answers {
  take(tab: Tab, request: Request): Promise<void>;
}

export function createAnswers(deps: AnswersDeps): Answers {
  const { app, environment, feeds, tasks, forwards, update } = deps;
  const logs = new WeakMap<Tab, LogFeed>();

  function logsOf(tab: Tab): LogFeed {
    const feed = logs.get(tab) ?? createLogFeed({ app, environment, openApi }, tab);
    logs.set(tab, feed);
    return feed;
  }

  /** The connections of a log outlive a cluster that is created anew. */
  async function openApi() {
    const access = await openCluster({ ...app, ui: { ...app.ui, say: () => {} } }, environment);
    if ('record' in access)
      await hideSecrets(app, environment, (access as { record: { name: string } }).record.name);
    return followApi(() => access.openApi());
  }

  async function startAction(action: Action): Promise<TaskResult> {
    if (!isLocal(environment)) {
      const message = `${action.action} is refused: environment ${environment.name} is remote, read-only`;
      return { exitCode: exitCodes.refused, error: { message } };
    }
    return tasks.start(action);
  }

  async function answer(what: Question): Promise<TaskResult> {
    if (what === 'why') {
      await feeds.explainAgain();
      return { exitCode: 0 };
    }
    if (what === 'usage') {
      const api = await feeds.getAccess()?.openApi();
      const usage = api ? await readUsage(api, environment.namespace, app.signal) : {};
      update((state) => ({ ...state, usage }));
      return { exitCode: 0 };
    }
    const remote = isLocal(environment) ? [] : ['--env', environment.name];
    return tasks.ask(what, what === 'plan' ? remote : []);
  }

  /** The result of what fails expectedly; anything else is a bug, and ends the dashboard. */
  async function toResult(work: () => Promise<TaskResult>): Promise<TaskResult> {
    try {
      return await work();
    } catch (error) {
      app.signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      const { message, hint, exitCode } = error;
      return { exitCode, error: { message, ...(hint === undefined ? {} : { fix: hint }) } };
    }
  }

  async function respond(tab: Tab, id: string, work: () => Promise<TaskResult>): Promise<void> {
    const result = await toResult(work);
    tab.send({ type: 'answer', id, ...JSON.parse(JSON.stringify(result)) });
  }

  return {
    async take(tab, request) {
      switch (request.type) {
        case 'start':
          return respond(tab, request.id, () => startAction(request));
        case 'stop':
          return tasks.stop(request.task);
        case 'ask':
          return respond(tab, request.id, () => answer(request.what));
        case 'logs':
          return logsOf(tab).start(request.id, request);
        case 'credit':
          return logsOf(tab).credit(request.id, request.lines);
        case 'end-logs':
          return logsOf(tab).end(request.id);
        case 'forward': {
          const { id, target, open } = request;
          const refused = { message: `forward is refused: environment ${environment.name} is read-only` };
          return respond(tab, id, async () =>
            forwards ? forwards.set(target, open) : { exitCode: exitCodes.refused, error: refused },
          );
        }
        case 'hello':
        case 'resync':
          return;
      }
    },
  };
}
