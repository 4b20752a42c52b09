import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import type { CausesView, DashboardState } from '../../dashboard/dashboard-state.ts';
import type { Snapshot } from '../../diagnosis/snapshot.ts';
import { Failure } from '../../lib/failure.ts';
import { createRestartableTask } from '../../lib/restartable-task.ts';
import { isConnectionLost } from '../../tools/kubernetes/api-server.ts';
import type { ClusterAccess, LocalAccess } from '../context/cluster.ts';
import { isLocal } from '../context/environment.ts';
import { askIngress } from '../context/status/read-status.ts';
import { explainRemoteSnapshot, explainSnapshot, selectCauses } from '../context/why/read-why.ts';

export interface WhyFeedDeps {
  readonly app: Pick<App, 'signal'>;
  readonly environment: Environment;
  readonly update: (change: (state: DashboardState) => DashboardState) => void;
  readonly onError: (error: unknown) => void;
  /** Milliseconds for which snapshots are collected, since a log is read for each part that is not ready. */
  readonly collectTime?: number;
}

export interface WhyFeed {
  /** Looks for the causes in this snapshot, once those of an earlier one are found. */
  explain(snapshot: Snapshot, access: ClusterAccess): void;
  /** Looks again in the last snapshot. Resolves when the causes are shown. */
  explainAgain(): Promise<void>;
}

const isOwn = (access: ClusterAccess): access is LocalAccess => 'record' in access;

/** The causes, and whether the ingress responds: both take longer than a snapshot, so that rows do not wait for them. */
export function createWhyFeed(deps: WhyFeedDeps): WhyFeed {
  const { app, environment, update, onError, collectTime = 200 } = deps;
  let last: { readonly snapshot: Snapshot; readonly access: ClusterAccess } | undefined;

  const task = createRestartableTask(
    async (signal) => {
      await sleep(collectTime, undefined, { signal });
      if (!last) return;
      const { snapshot, access } = last;
      try {
        if (isLocal(environment) && isOwn(access)) {
          const [found, ingress] = await Promise.all([
            explainSnapshot({ signal }, environment, access, snapshot),
            askIngress(access.record, signal),
          ]);
          const shown = ingress && JSON.parse(JSON.stringify(ingress));
          update((state) => ({ ...state, causes: toCauses(found), ingress: shown }));
        } else {
          const found = await explainRemoteSnapshot({ signal }, environment, access, snapshot);
          update((state) => ({ ...state, causes: toCauses(found) }));
        }
      } catch (error) {
        signal.throwIfAborted();
        // The cluster is gone meanwhile, which its own feed shows.
        if (!(error instanceof Failure) && !isConnectionLost(error)) throw error;
      }
    },
    { signal: app.signal, onError },
  );

  return {
    explain(snapshot, access) {
      last = { snapshot, access };
      task.repeat();
    },
    async explainAgain() {
      task.repeat();
      await task.idle();
    },
  };
}

function toCauses(found: Parameters<typeof selectCauses>[0]): CausesView {
  const { causes, line } = selectCauses(found, undefined);
  return { at: new Date().toISOString(), line, list: JSON.parse(JSON.stringify(causes)) };
}
