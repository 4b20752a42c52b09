import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import type { DashboardState } from '../../dashboard/dashboard-state.ts';
import { watchSources } from '../../images/source/watch-sources.ts';
import { Failure } from '../../lib/failure.ts';
import { createRestartableTask } from '../../lib/restartable-task.ts';
import { findSecrets } from '../../state/secrets.ts';
import type { ClusterAccess } from '../context/cluster.ts';
import { isLocal } from '../context/environment.ts';
import { toSecretsOptions } from '../context/secrets.ts';
import { listSourceFolders } from '../context/status/read-freshness.ts';
import { createClusterFeed } from './cluster-feed.ts';
import { createLocalSource, createRemoteSource } from './cluster-sources.ts';
import { createFreshnessFeed } from './freshness-feed.ts';
import { followStateFolder } from './state-folder-feed.ts';
import { createWhyFeed } from './why-feed.ts';

export interface LiveFeedsDeps {
  readonly app: App;
  readonly environment: Environment;
  readonly update: (change: (state: DashboardState) => DashboardState) => void;
}

/** Everything that is followed while a tab is open. */
export interface LiveFeeds {
  /** Follows until the signal is aborted. @throws what is a bug, or makes following impossible. */
  run(signal: AbortSignal): Promise<void>;
  /** The cluster as it was opened last; undefined before. */
  getAccess(): ClusterAccess | undefined;
  /** Looks for the causes again. */
  explainAgain(): Promise<void>;
}

/** The cluster, the sources, the runs and the lock, from the first tab on until the last one is closed. */
export function createLiveFeeds({ app, environment, update }: LiveFeedsDeps): LiveFeeds {
  let access: ClusterAccess | undefined;
  let fail: (error: unknown) => void = () => {};
  const onError = (error: unknown) => fail(error);
  const freshness = createFreshnessFeed(app, environment, () => local?.getRecord()?.name);
  const local = isLocal(environment) ? createLocalSource(app, environment, freshness) : undefined;
  const source = local ?? createRemoteSource(app, environment);
  const why = createWhyFeed({ app, environment, update, onError });
  const cluster = createClusterFeed({
    ...{ app, environment, source, update },
    onSnapshot(snapshot, opened) {
      if (access !== opened) {
        access = opened;
        // Its images are those of another node.
        refresh.repeat();
      }
      why.explain(snapshot, opened);
    },
  });
  const refresh = createRestartableTask(
    async () => {
      if (!local) return;
      await hideSecrets(app, environment, local.getRecord()?.name);
      await freshness.refresh();
      cluster.show();
    },
    { signal: app.signal, onError },
  );

  async function followSources(signal: AbortSignal): Promise<void> {
    if (!local) return;
    const folders = await listSourceFolders(app.paths, environment);
    for await (const _ of watchSources(folders, { signal })) refresh.repeat();
  }

  return {
    getAccess: () => access,
    explainAgain: why.explainAgain,
    async run(signal) {
      const failed = new Promise<never>((_, reject) => {
        fail = reject;
      });
      const over = new AbortController();
      const running = AbortSignal.any([signal, over.signal]);
      // What is shown was closed over by the last tab, and may be hours old.
      refresh.repeat();
      const deps = {
        app,
        environment,
        update,
        onError,
        onCluster: cluster.lookAgain,
        onRuns: refresh.repeat,
      };
      const all = [
        cluster.run(running),
        followStateFolder(deps, running),
        followSources(running).catch((error: unknown) => {
          // Without a watch the rows are as fresh as the last change of the cluster.
          if (running.aborted || !(error instanceof Failure)) throw error;
          app.ui.warn(`${error.message}: the dashboard does not see saved files`);
        }),
      ];
      try {
        await Promise.race([Promise.all(all), failed]);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        over.abort();
        await Promise.allSettled(all);
      }
    },
  };
}

/** Secrets that were read are replaced in everything that is sent to a tab. */
export async function hideSecrets(
  app: Pick<App, 'paths'>,
  environment: Environment,
  cluster: string | undefined,
): Promise<void> {
  if (cluster === undefined || !isLocal(environment)) return;
  await findSecrets(await toSecretsOptions(app, environment, cluster));
}
