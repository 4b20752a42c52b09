import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import {
  askEngineVersion,
  type FindFreshness,
  findNodeImages,
  readFreshness,
} from '../context/status/read-freshness.ts';

type Find = (service: string, running: Parameters<FindFreshness>[1]) => ReturnType<FindFreshness>;

/** The sources and images as last read: reading them takes longer than asking for the pods. */
export interface FreshnessFeed {
  readonly find: Find;
  /** Reads them again. */
  refresh(): Promise<void>;
}

/** Nothing is known before the first `refresh`. */
export function createFreshnessFeed(
  app: Pick<App, 'paths' | 'signal'>,
  environment: Environment,
  getCluster: () => string | undefined,
): FreshnessFeed {
  let find: Find = () => undefined;
  return {
    find: (service, running) => find(service, running),
    async refresh() {
      const engine = await askEngineVersion(app.signal);
      const cluster = getCluster();
      const [findFreshness, nodeImages] = await Promise.all([
        readFreshness(app, environment, engine),
        cluster === undefined ? undefined : findNodeImages(engine, cluster, app.signal),
      ]);
      find = (service, running) => findFreshness(service, running, nodeImages);
    },
  };
}
