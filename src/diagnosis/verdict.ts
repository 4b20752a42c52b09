import type { Pod } from '../tools/kubernetes/objects.ts';
import type { JudgeOptions } from './container-finding.ts';
import { judgeCreation } from './creation-finding.ts';
import { type Finding, toKubectlLine } from './finding.ts';
import { judgeJob } from './job-verdict.ts';
import { judgePod } from './pod-finding.ts';
import { findPods, type Workload } from './pods.ts';
import { findRollout, type Rollout } from './rollout.ts';
import type { Snapshot } from './snapshot.ts';

/** Whether a workload is ready, else why not. */
export interface Verdict extends Omit<Finding, 'state'> {
  /** `absent`: the workload does not exist. */
  readonly state: 'ready' | 'absent' | Finding['state'];
  /** Pods of the newest revision that are ready; for a Job, those that succeeded. */
  readonly ready: number;
  readonly wanted: number;
}

/**
 * The verdict on a workload. Pods of earlier revisions count only as long as they exist beside the new ones.
 * Without `since`, failures count however long ago they were.
 */
export function judge(
  snapshot: Snapshot,
  workload: Workload,
  { since = Number.NEGATIVE_INFINITY }: Partial<JudgeOptions> = {},
): Verdict {
  const { kind, name, namespace } = workload;
  if (kind === 'Job') {
    const job = snapshot.find('Job', name, namespace);
    if (!job) return describeAbsent(workload);
    const finding = judgeJob(snapshot, workload, job, { since });
    const counts = { ready: job.status.succeeded ?? 0, wanted: job.spec.completions ?? 1 };
    return { ...(finding ?? { state: 'ready', line: 'complete' }), ...counts };
  }
  const rollout = findRollout(snapshot, { kind, name, namespace });
  return rollout ? judgeRollout(snapshot, workload, rollout, { since }) : describeAbsent(workload);
}

/** The verdict on a workload that others need: one that is scaled to 0 replicas is not ready. */
export function judgeNeeded(snapshot: Snapshot, workload: Workload): Verdict {
  const verdict = judge(snapshot, workload);
  if (verdict.state !== 'ready' || verdict.wanted > 0) return verdict;
  const { kind, name, namespace } = workload;
  const scale = ['scale', `${kind.toLowerCase()}/${name}`, '--replicas=1'];
  return {
    ...verdict,
    state: 'failed',
    line: 'scaled to 0 replicas',
    next: toKubectlLine(namespace, ...scale),
  };
}

/** The verdict as one line of progress: `1 of 2 pods ready, waiting for the readiness probe`. */
export function toProgress({ ready, wanted, line }: Verdict): string {
  return wanted === 0 ? line : `${ready} of ${wanted} ${wanted === 1 ? 'pod' : 'pods'} ready, ${line}`;
}

function describeAbsent({ kind, name, namespace }: Workload): Verdict {
  const line = `${kind} ${name} does not exist in namespace ${namespace}`;
  return { state: 'absent', line, ready: 0, wanted: 0, next: 'npm run up' };
}

function judgeRollout(
  snapshot: Snapshot,
  workload: Workload,
  rollout: Rollout,
  options: JudgeOptions,
): Verdict {
  const { isObserved, wanted, updated, ready, old } = rollout;
  if (!isObserved) return { state: 'waiting', line: 'waiting for the rollout to start', ready: 0, wanted };
  const { current } = findPods(snapshot, workload);
  const findings = current.flatMap((pod) => judgePod(snapshot, pod, options) ?? []);
  // After a node's restart the pods' own status is current long before that of their controller.
  if (updated >= wanted && ready >= wanted && old === 0 && findings.length === 0) {
    return { state: 'ready', line: wanted === 0 ? 'scaled to 0 replicas' : 'ready', ready: wanted, wanted };
  }

  const counts = { ready: current.length - findings.length, wanted };
  const finding =
    findings.find(({ state }) => state === 'failed') ??
    judgeFailedPods(current, options) ??
    (current.length < wanted ? judgeCreation(snapshot, rollout, options) : undefined) ??
    findings[0];
  return { ...(finding ?? { state: 'waiting', line: describeProgress(current, rollout) }), ...counts };
}

/** What a rollout waits for when no pod has a finding. */
function describeProgress(current: readonly Pod[], { wanted, old }: Rollout): string {
  if (current.length < wanted) return 'creating pods';
  return old > 0 ? 'waiting for the old pods to terminate' : 'becoming ready';
}

/** Their controller replaces failed pods, endlessly while the reason persists. */
function judgeFailedPods(pods: readonly Pod[], { since }: JudgeOptions): Finding | undefined {
  const failed = pods.filter(
    ({ metadata, status }) => status.phase === 'Failed' && Date.parse(metadata.creationTimestamp) >= since,
  );
  const last = failed.at(-1);
  if (failed.length < 2 || !last) return undefined;
  const { reason = 'Failed', message } = last.status;
  return {
    state: 'failed',
    line: `${failed.length} pods failed in a row: ${reason}`,
    ...(message === undefined ? {} : { evidence: message }),
    next: toKubectlLine(last.metadata.namespace, 'describe', 'pod', last.metadata.name),
  };
}
