import type { Workload } from './pods.ts';
import type { Snapshot } from './snapshot.ts';

const kinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'] as const;

/** What a release runs, by the label that every chart gives its objects. */
export function workloadsOf(snapshot: Snapshot, release: string, namespace: string): readonly Workload[] {
  return kinds.flatMap((kind) =>
    snapshot
      .list(kind)
      .filter(({ metadata }) => metadata.namespace === namespace)
      .filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/instance'] === release)
      .map(({ metadata: { name } }) => ({ kind, name, namespace })),
  );
}
