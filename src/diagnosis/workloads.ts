import { instanceLabel } from '../lib/labels.ts';
import { type Workload, workloadKinds } from './pods.ts';
import type { Snapshot } from './snapshot.ts';

/** The workloads of a release, by the label that every chart's objects carry. */
export function workloadsOf(snapshot: Snapshot, release: string, namespace: string): readonly Workload[] {
  return workloadKinds.flatMap((kind) =>
    snapshot
      .list(kind)
      .filter(({ metadata }) => metadata.namespace === namespace)
      .filter(({ metadata }) => metadata.labels?.[instanceLabel] === release)
      .map(({ metadata: { name } }) => ({ kind, name, namespace })),
  );
}
