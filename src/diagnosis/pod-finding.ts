import { isPodReady, type Pod } from '../tools/kubernetes/objects.ts';
import { judgeClaims } from './claim-finding.ts';
import { type JudgeOptions, judgeContainer, toKindName } from './container-finding.ts';
import { listEvents } from './events.ts';
import { type Finding, toKubectlLine } from './finding.ts';
import { judgeNodeOf } from './node-finding.ts';
import { judgeScheduling } from './scheduling-finding.ts';
import type { Snapshot } from './snapshot.ts';

/** Why a pod is not ready; undefined when it is. */
export function judgePod(snapshot: Snapshot, pod: Pod, options: JudgeOptions): Finding | undefined {
  if (isPodReady(pod)) return undefined;
  // The pod's Ready condition follows its containers' a moment later.
  const line = pod.status.containerStatuses ? 'becoming ready' : 'creating containers';
  return (
    judgeClaims(snapshot, pod) ??
    judgeScheduling(snapshot, pod) ??
    judgeNodeOf(snapshot, pod) ??
    judgeContainers(snapshot, pod, options) ?? { state: 'waiting', line }
  );
}

function judgeContainers(snapshot: Snapshot, pod: Pod, options: JudgeOptions): Finding | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
  // Init containers run one after another: the first one that has not completed holds up the rest.
  for (const status of initContainerStatuses) {
    if (status.state?.terminated?.exitCode === 0) continue;
    const finding = judgeContainer(snapshot, pod, status, options);
    if (!finding || isSidecar(pod, status.name)) continue;
    if (status.state?.running) return { state: 'waiting', line: `init container ${status.name} is running` };
    return judgeMounts(snapshot, pod) ?? finding;
  }
  const findings = containerStatuses.flatMap(
    (status) => judgeContainer(snapshot, pod, status, options) ?? [],
  );
  const worst = findings.find(({ state }) => state === 'failed') ?? findings[0];
  if (worst?.state === 'failed') return worst;
  return judgeMounts(snapshot, pod) ?? worst;
}

function isSidecar({ spec }: Pod, name: string): boolean {
  return spec.initContainers?.find((each) => each.name === name)?.restartPolicy === 'Always';
}

/** A failed mount is reported by events only; they are outdated once a container has been created. */
function judgeMounts(snapshot: Snapshot, pod: Pod): Finding | undefined {
  const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
  if (statuses.some(({ state, lastState }) => state?.running || state?.terminated || lastState?.terminated)) {
    return undefined;
  }
  const last = listEvents(snapshot, pod).findLast(({ type }) => type === 'Warning');
  if (last?.message === undefined) return undefined;
  const { name, namespace } = pod.metadata;
  const next = toKubectlLine(namespace, 'describe', 'pod', name);
  if (last.reason === 'FailedCreatePodSandBox') {
    return { state: 'waiting', line: 'pod network not set up', evidence: last.message, next };
  }
  if (last.reason !== 'FailedMount' && last.reason !== 'FailedAttachVolume') return undefined;
  const [, kind, object] = /(secret|configmap) "(.+)" not found$/.exec(last.message) ?? [];
  if (kind !== undefined) {
    const line = `${toKindName(kind)} ${object} does not exist`;
    return {
      state: 'failed',
      line,
      evidence: last.message,
      next: toKubectlLine(namespace, 'get', `${kind}s`),
    };
  }
  const isFailed = /references non-existent (secret|config) key/.test(last.message);
  return {
    state: isFailed ? 'failed' : 'waiting',
    line: 'volume mount failed',
    evidence: last.message,
    next,
  };
}
