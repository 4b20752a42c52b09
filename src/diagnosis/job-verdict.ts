import type { Condition, Job, Pod } from '../tools/kubernetes/objects.ts';
import { describeExit, type JudgeOptions } from './container-finding.ts';
import { judgeCreation } from './creation-finding.ts';
import { type Finding, toKubectlLine } from './finding.ts';
import { judgePod } from './pod-finding.ts';
import { findPods, type Workload } from './pods.ts';
import type { Snapshot } from './snapshot.ts';

/** Why a Job is not complete; undefined when it is. */
export function judgeJob(
  snapshot: Snapshot,
  workload: Workload,
  { metadata, spec, status: { conditions = [], failed = 0 } }: Job,
  options: JudgeOptions,
): Finding | undefined {
  const find = (name: string) => conditions.find(({ type, status }) => type === name && status === 'True');
  if (find('Complete')) return undefined;
  const newest = findPods(snapshot, workload).current.toSorted(byCreation).at(-1);
  const failure = find('Failed');
  if (failure) return describeFailure(workload, failed, failure, newest);

  const finding = newest && judgePod(snapshot, newest, { ...options, isRetried: true });
  if (finding?.state === 'failed') return finding;
  const refused = newest ? undefined : judgeCreation(snapshot, { metadata }, options);
  if (refused) return refused;
  const attempt = failed === 0 ? '' : `, attempt ${failed + 1} of ${(spec.backoffLimit ?? 6) + 1}`;
  const isRunning = newest?.status.phase === 'Running' || newest?.status.phase === 'Succeeded';
  if (isRunning && !(finding && hasCrashed(newest)))
    return { state: 'waiting', line: `running${attempt}`, ...findLog(newest) };
  return { ...finding, state: 'waiting', line: `${finding?.line ?? 'creating pod'}${attempt}` };
}

/** The log of the container that the Job still runs. */
function findLog({ metadata, status }: Pod): Pick<Finding, 'log'> {
  const running = status.containerStatuses?.find(({ state }) => state?.running !== undefined);
  if (!running) return {};
  const { name: pod, namespace = '' } = metadata;
  return { log: { namespace, pod, container: running.name, previous: false } };
}

/** Whether the pod itself restarts its container: such restarts are not counted by the Job. */
function hasCrashed({ status: { containerStatuses = [] } }: Pod): boolean {
  return containerStatuses.some(({ restartCount, ready }) => restartCount > 0 && !ready);
}

function byCreation(one: Pod, other: Pod): number {
  return one.metadata.creationTimestamp.localeCompare(other.metadata.creationTimestamp);
}

function describeFailure(
  { name, namespace }: Workload,
  failed: number,
  { reason, message }: Condition,
  pod: Pod | undefined,
): Finding {
  const container = pod?.status.containerStatuses?.[0];
  const ended = container?.state?.terminated ?? container?.lastState?.terminated;
  const attempts = failed > 1 ? ` after ${failed} attempts` : '';
  const next = toKubectlLine(namespace, 'logs', `job/${name}`);
  if (!pod || !container || !ended || reason !== 'BackoffLimitExceeded') {
    return {
      state: 'failed',
      line: `failed${attempts}`,
      ...(message === undefined ? {} : { evidence: message }),
      next,
    };
  }
  return {
    state: 'failed',
    line: `failed${attempts}, ${ended.reason === 'OOMKilled' ? 'out of memory (OOMKilled)' : describeExit(ended)}`,
    log: {
      namespace,
      pod: pod.metadata.name,
      container: container.name,
      previous: container.state?.terminated === undefined,
    },
    next,
  };
}
