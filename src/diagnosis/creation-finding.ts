import type { JudgeOptions } from './container-finding.ts';
import { listEvents, toTime } from './events.ts';
import { type Finding, toKubectlLine } from './finding.ts';
import type { Rollout } from './rollout.ts';
import type { Snapshot } from './snapshot.ts';

/** Why a controller cannot create pods; undefined when no failure is reported. */
export function judgeCreation(
  snapshot: Snapshot,
  { metadata, conditions = [] }: Pick<Rollout, 'metadata'> & Partial<Rollout>,
  { since }: JudgeOptions,
): Finding | undefined {
  const condition = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  // Only Deployments have the condition. Of the events, earlier ones may be about something that was fixed.
  const event = listEvents(snapshot, { metadata }).findLast(
    (each) => each.reason === 'FailedCreate' && toTime(each) >= Math.floor(since / 1000) * 1000,
  );
  const message = condition?.message ?? event?.message;
  return message === undefined ? undefined : describeFailure(message, metadata.name, metadata.namespace);
}

function describeFailure(message: string, name: string, namespace: string | undefined): Finding {
  const [, policy, what = ''] = /violates PodSecurity "([^":]+)[^"]*": (.*)$/s.exec(message) ?? [];
  if (policy !== undefined) {
    return {
      state: 'failed',
      line: `pod creation forbidden: violates PodSecurity ${policy}`,
      evidence: what,
      next: toKubectlLine(undefined, 'get', 'namespace', namespace ?? '', '--show-labels'),
    };
  }
  const [, quota] = /exceeded quota: (.*)$/s.exec(message) ?? [];
  if (quota !== undefined) {
    const next = toKubectlLine(namespace, 'describe', 'quota');
    return { state: 'failed', line: 'pod creation forbidden: quota exceeded', evidence: quota, next };
  }
  return {
    state: 'waiting',
    line: 'pod creation failed',
    evidence: message,
    next: toKubectlLine(namespace, 'get', 'events', `--field-selector=involvedObject.name=${name}`),
  };
}
