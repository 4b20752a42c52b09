import type { App } from '../../cli/command.ts';
import type { LocalEnvironment } from '../../config/schema.ts';
import { selectComponents } from '../../config/services.ts';
import type { DashboardState, ForwardView } from '../../dashboard/dashboard-state.ts';
import { judge } from '../../diagnosis/verdict.ts';
import { Failure } from '../../lib/failure.ts';
import { followApi } from '../../tools/kubernetes/follow-api.ts';
import { toForwardTarget } from '../context/forward-targets.ts';
import { openCluster } from '../context/open-cluster.ts';
import { openForwards } from '../context/open-forwards.ts';
import type { TaskResult } from './tasks.ts';

export interface ForwardFeedDeps {
  readonly app: App;
  readonly environment: LocalEnvironment;
  readonly update: (change: (state: DashboardState) => DashboardState) => void;
}

/** The ports that this dashboard forwards. They end with it. */
export interface ForwardFeed {
  /** Opens or closes the port of a service or data store. */
  set(name: string, open: boolean): Promise<TaskResult>;
}

/** What can be forwarded, with the port of this machine that is tried first. */
export function listForwardTargets(environment: LocalEnvironment): Readonly<Record<string, number>> {
  const names = selectComponents(environment, []);
  return Object.fromEntries(names.map((name) => [name, toForwardTarget(environment, name).wantedPort]));
}

export function createForwardFeed({ app, environment, update }: ForwardFeedDeps): ForwardFeed {
  const open = new Map<string, AbortController>();

  function show(name: string, change: Partial<ForwardView> | undefined): void {
    update((state) => {
      const { [name]: known, ...others } = state.forwards;
      if (!change) return { ...state, forwards: others };
      const next = { name, port: 0, usage: '', held: 0, ...known, ...change };
      return { ...state, forwards: { ...others, [name]: next } };
    });
  }

  async function start(name: string): Promise<void> {
    const target = toForwardTarget(environment, name);
    const own = new AbortController();
    open.set(name, own);
    const signal = AbortSignal.any([app.signal, own.signal]);
    try {
      const access = await openCluster(app, environment);
      const api = await followApi(() => access.openApi());
      const explain = async () => {
        const snapshot = await access.snapshots.take(signal, { maxAge: 1_000 });
        show(name, { why: judge(snapshot, target.workload).line });
      };
      const forwards = await openForwards(
        {
          ...{ app, api, snapshots: access.snapshots, namespace: environment.namespace, signal },
          onHeld(_, held) {
            show(name, { held });
            // The page shows why once it is known; without a response the row says that no pod is ready.
            if (held === 1) explain().catch(() => {});
          },
        },
        [target],
      );
      const port = forwards.ports[0] ?? target.wantedPort;
      show(name, { port, usage: target.toUsage(port, environment.namespace), held: 0 });
      forwards.ended
        .catch((error: unknown) => {
          if (!signal.aborted)
            app.ui.warn(`forward ${name}: ${error instanceof Error ? error.message : error}`);
        })
        .finally(() => {
          forwards.close();
          open.delete(name);
          show(name, undefined);
        });
    } catch (error) {
      open.delete(name);
      throw error;
    }
  }

  return {
    async set(name, isOpen) {
      const known = open.get(name);
      if (!isOpen) {
        known?.abort(new Failure('stopped from the dashboard'));
        return { exitCode: 0 };
      }
      if (known) return { exitCode: 0 };
      try {
        await start(name);
        return { exitCode: 0 };
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        const fix = error.hint === undefined ? {} : { fix: error.hint };
        return { exitCode: error.exitCode, error: { message: error.message, ...fix } };
      }
    },
  };
}
