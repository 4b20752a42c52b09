import type { App } from '../../cli/command.ts';
import type { Environment, LocalEnvironment } from '../../config/schema.ts';
import type { ClusterView } from '../../dashboard/dashboard-state.ts';
import type { ClusterRecord } from '../../state/cluster-record.ts';
import { findClusterAccess } from '../context/cluster.ts';
import { findState } from '../context/engine.ts';
import { openRemote } from '../context/remote-cluster.ts';
import { toRemoteReports } from '../context/status/read-remote-status.ts';
import { toComponentReports } from '../context/status/read-status.ts';
import type { ClusterSource } from './cluster-feed.ts';
import type { FreshnessFeed } from './freshness-feed.ts';
import { toParts } from './to-parts.ts';

type Deps = Pick<App, 'paths' | 'exec' | 'signal'>;

/** Kinds whose changes change a status or a cause. Events and leases change all the time, and are only read. */
const watched = [
  ...[
    'api/v1/pods',
    'api/v1/services',
    'api/v1/nodes',
    'apis/apps/v1/deployments',
    'apis/apps/v1/statefulsets',
  ],
  ...['apis/discovery.k8s.io/v1/endpointslices', 'apis/batch/v1/jobs'],
  ...['apis/networking.k8s.io/v1/ingresses', 'apis/networking.k8s.io/v1/networkpolicies'],
];

export interface LocalSource extends ClusterSource {
  /** Of the cluster that was opened last. */
  getRecord(): ClusterRecord | undefined;
}

/** The cluster of this checkout, whichever it is at the time. */
export function createLocalSource(
  app: Deps,
  environment: LocalEnvironment,
  freshness: Pick<FreshnessFeed, 'find'>,
): LocalSource {
  let record: ClusterRecord | undefined;
  return {
    get name() {
      return record?.name ?? environment.cluster.name;
    },
    getRecord: () => record,
    async open() {
      const access = await findClusterAccess(app);
      record = access?.record;
      return access;
    },
    async explain(silence): Promise<Pick<ClusterView, 'state' | 'evidence' | 'next'>> {
      const found = await findState(app, record?.name ?? environment.cluster.name, silence);
      return { ...found, next: found.state === 'unknown' ? 'npm run doctor' : 'npm run up' };
    },
    watched: watched.map((path) => `/${path}`),
    toParts(snapshot) {
      if (!record) throw new Error('a snapshot without a cluster');
      return toParts(
        toComponentReports(snapshot, environment, record, freshness.find),
        environment,
        snapshot,
      );
    },
  };
}

/** The trusted cluster of a remote environment, which is only read from. */
export function createRemoteSource(app: Deps, environment: Environment): ClusterSource {
  const { namespace, name } = environment;
  let cluster = environment.context ?? name;
  const inNamespace = (path: string) =>
    `/${path.replace(/^(apis?\/(?:[^/]+\/)?v1)\//, `$1/namespaces/${namespace}/`)}`;
  return {
    get name() {
      return cluster;
    },
    async open() {
      const access = await openRemote(app, environment);
      cluster = access.context.name;
      return access;
    },
    async explain(silence) {
      const { evidence = 'it has not been asked yet' } = { evidence: silence };
      return { state: 'silent', evidence };
    },
    watched: watched.filter((path) => path !== 'api/v1/nodes').map(inNamespace),
    toParts: (snapshot) => toParts(toRemoteReports(snapshot, environment), environment, snapshot),
  };
}
