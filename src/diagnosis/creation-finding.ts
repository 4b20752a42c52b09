import type { JudgeOptions } from './container-finding.ts';
import { listEvents, toTime } from './events.ts';
import { type Finding, toKubectlLine } from './finding.ts';
import type { Rollout } from './rollout.ts';
import type { Snapshot } from './snapshot.ts';

/** What keeps a controller from creating pods; undefined when nothing is known to. */
export function judgeCreation(
  snapshot: Snapshot,
  { metadata, conditions = [] }: Pick<Rollout, 'metadata'> & Partial<Rollout>,
  { since }: JudgeOptions,
): Finding | undefined {
  const condition = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  // Only Deployments have the condition; of the others' events, those of before may be about what was put right.
  const event = listEvents(snapshot, { metadata }).findLast(
    (each) => each.reason === 'FailedCreate' && toTime(each) >= Math.floor(since / 1000) * 1000,
  );
  const message = condition?.message ?? event?.message;
  return message === undefined ? undefined : describeRefusal(message, metadata.name, metadata.namespace);
}

function describeRefusal(message: string, name: string, namespace: string | undefined): Finding {
  const [, policy, what = ''] = /violates PodSecurity "([^":]+)[^"]*": (.*)$/s.exec(message) ?? [];
  if (policy !== undefined) {
    return {
      state: 'failed',
      line: `its pods are refused by the Pod Security Standard ${policy}`,
      evidence: what,
      next: toKubectlLine(undefined, 'get', 'namespace', namespace ?? '', '--show-labels'),
    };
  }
  const [, quota] = /exceeded quota: (.*)$/s.exec(message) ?? [];
  if (quota !== undefined) {
    const next = toKubectlLine(namespace, 'describe', 'quota');
    return { state: 'failed', line: 'its pods exceed a quota', evidence: quota, next };
  }
  return {
    state: 'waiting',
    line: 'its pods cannot be created',
    evidence: message,
    next: toKubectlLine(namespace, 'get', 'events', `--field-selector=involvedObject.name=${name}`),
  };
}
