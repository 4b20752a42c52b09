import type { Environment } from '../../config/schema.ts';
import type { PartView, PodView } from '../../dashboard/dashboard-state.ts';
import { findPods, type Workload } from '../../diagnosis/pods.ts';
import type { Snapshot } from '../../diagnosis/snapshot.ts';
import type { Pod } from '../../tools/kubernetes/objects.ts';
import type { ComponentReport } from '../context/status/status-report.ts';

/** The rows before the cluster has responded: the services of the configuration. */
export function toUnknownParts(environment: Environment): Readonly<Record<string, PartView>> {
  const parts = Object.entries(environment.services).map(
    ([name, { needs }]): PartView => ({
      ...{ name, kind: 'service', state: 'unknown', line: '', ready: 0, wanted: 0, restarts: 0 },
      ...{ needs, unmet: [], pods: [] },
    }),
  );
  return byName(parts);
}

/** The rows of reports, with the pods of each. Services keep the order of the configuration, and come first. */
export function toParts(
  reports: readonly ComponentReport[],
  environment: Environment,
  snapshot: Snapshot,
): Readonly<Record<string, PartView>> {
  const services = Object.keys(environment.services);
  const place = ({ name }: ComponentReport) => {
    const at = services.indexOf(name);
    return at === -1 ? services.length : at;
  };
  const sorted = reports.toSorted((one, other) => place(one) - place(other));
  return byName(sorted.map((report) => toPart(report, environment, snapshot)));
}

function toPart(report: ComponentReport, environment: Environment, snapshot: Snapshot): PartView {
  const { name, kind, unmetNeeds, imageId: _, ...rest } = report;
  const own = environment.services[name]?.needs;
  const pods = workloadsOf(name, environment, snapshot).flatMap((workload) => listPods(snapshot, workload));
  // Undefined values are those that JSON leaves out.
  return JSON.parse(
    JSON.stringify({ ...rest, name, kind, needs: own ?? report.needs, unmet: unmetNeeds, pods }),
  );
}

const kinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'] as const;

/** The workloads of a name: in the namespace of the environment, else wherever they are. */
function workloadsOf(name: string, { namespace }: Environment, snapshot: Snapshot): readonly Workload[] {
  const found = kinds.flatMap((kind) =>
    snapshot
      .list(kind)
      .filter(({ metadata }) => metadata.name === name)
      .map(({ metadata }): Workload => ({ kind, name, namespace: metadata.namespace ?? '' })),
  );
  const own = found.filter((workload) => workload.namespace === namespace);
  return own.length > 0 ? own : found;
}

function listPods(snapshot: Snapshot, workload: Workload): readonly PodView[] {
  const { current, old, terminating } = findPods(snapshot, workload);
  return [
    ...current.map((pod) => toPod(pod, undefined)),
    ...old.map((pod) => toPod(pod, 'of an earlier revision')),
    ...terminating.map((pod) => toPod(pod, 'terminating')),
  ];
}

function toPod({ metadata, spec, status }: Pod, word: string | undefined): PodView {
  const containers = status.containerStatuses ?? [];
  const ready = containers.length > 0 && containers.every((each) => each.ready);
  return {
    name: metadata.name,
    ...(spec.nodeName === undefined ? {} : { node: spec.nodeName }),
    state: word ?? (ready ? 'ready' : toWord(status)),
    ready,
    restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    created: metadata.creationTimestamp,
  };
}

/** Why a container waits, such as `CrashLoopBackOff`, else the phase of the pod. */
function toWord({ containerStatuses = [], phase }: Pod['status']): string {
  const waiting = containerStatuses.flatMap(({ state }) => state?.waiting?.reason ?? []);
  return waiting[0] ?? (phase === 'Running' ? 'not ready' : (phase?.toLowerCase() ?? 'unknown'));
}

function byName(parts: readonly PartView[]): Readonly<Record<string, PartView>> {
  return Object.fromEntries(parts.map((part) => [part.name, part]));
}
