import type { ContainerStatus, Pod, Terminated } from '../tools/kubernetes/objects.ts';
import { findLastEvent, listEvents } from './events.ts';
import { type Finding, toKubectlLine, toLogsLine, toValuesKey } from './finding.ts';
import { findContainer } from './pods.ts';
import { describeWrongProbe, findProbeFailure, judgeProbe, toProbeHint } from './probe-finding.ts';
import type { Snapshot } from './snapshot.ts';

export interface JudgeOptions {
  /** Milliseconds since the epoch: earlier failures do not count, since their cause may have been fixed. */
  readonly since: number;
  /** Its controller counts the failures and limits the retries, as a Job does. */
  readonly isRetried?: boolean;
}

/** Milliseconds that a pod may be older than the wait for it: its rollout begins before the wait. */
const sameRollout = 60_000;

/** Why a container is not ready; undefined when it is. */
export function judgeContainer(
  snapshot: Snapshot,
  pod: Pod,
  status: ContainerStatus,
  options: JudgeOptions,
): Finding | undefined {
  if (status.ready) return undefined;
  const { waiting, running, terminated } = status.state ?? {};
  if (running) return judgeProbe(snapshot, pod, status);
  switch (waiting?.reason) {
    case 'ErrImageNeverPull':
    case 'InvalidImageName':
    case 'ErrImagePull':
    case 'ImagePullBackOff':
      return judgeImage(snapshot, pod, status, waiting.reason, waiting.message ?? '');
    case 'CreateContainerConfigError':
      return judgeConfiguration(pod, waiting.message ?? '');
  }
  const ended = terminated ?? status.lastState?.terminated;
  if (ended && waiting?.reason !== 'PodInitializing')
    return judgeCrash(snapshot, pod, status, ended, options);
  if (waiting?.message && isDiskFull(waiting.message)) {
    return {
      state: 'failed',
      line: "the node's disk is full",
      evidence: waiting.message,
      next: 'npm run doctor',
    };
  }
  if (waiting?.message) {
    return { state: 'waiting', line: `container ${status.name} not created`, evidence: waiting.message };
  }
  const isPulling = listEvents(snapshot, pod).at(-1)?.reason === 'Pulling';
  const line = isPulling ? `pulling image ${imageOf(pod, status)}` : `creating container ${status.name}`;
  return { state: 'waiting', line };
}

/** Errors of a registry that a retry does not change. */
const definite = /not found|unauthorized|denied|forbidden|manifest unknown|does not exist/i;

function judgeImage(
  snapshot: Snapshot,
  pod: Pod,
  status: ContainerStatus,
  reason: string,
  message: string,
): Finding {
  const image = imageOf(pod, status);
  const next = 'npm run images';
  if (reason === 'InvalidImageName') {
    return {
      state: 'failed',
      line: `invalid image name "${image}"`,
      evidence: message,
      next,
    };
  }
  if (reason === 'ErrImageNeverPull') {
    return {
      state: 'failed',
      line: `image ${image} not found on the node, and imagePullPolicy is Never`,
      next,
    };
  }
  const failure = findLastEvent(snapshot, pod, ({ reason, message }) => {
    return reason === 'Failed' && message?.startsWith('Failed to pull image') === true;
  });
  const evidence = failure?.message ?? message;
  return {
    state: (failure?.count ?? 0) >= 2 || definite.test(evidence) ? 'failed' : 'waiting',
    line: `image pull failed: ${image}`,
    // The message repeats the image's name for each error that it wraps.
    evidence: evidence.split(`"${image}": `).at(-1) ?? evidence,
    next,
  };
}

function judgeConfiguration({ metadata: { name, namespace } }: Pod, message: string): Finding {
  const [, kind, object] = /^(secret|configmap) "(.+)" not found$/.exec(message) ?? [];
  if (kind !== undefined) {
    return {
      state: 'failed',
      line: `${toKindName(kind)} ${object} does not exist`,
      next: toKubectlLine(namespace, 'get', `${kind}s`),
    };
  }
  const [, key, holder = '', path = ''] = /^couldn't find key (\S+) in (\S+) (\S+)$/.exec(message) ?? [];
  if (key !== undefined) {
    const object = path.split('/').at(-1) ?? path;
    return {
      state: 'failed',
      line: `${toKindName(holder.toLowerCase())} ${object} has no key ${key}`,
      next: toKubectlLine(namespace, 'describe', holder.toLowerCase(), object),
    };
  }
  return {
    // An object may reach the node later; a user that the security context forbids stays forbidden.
    state: /non-root|runAsNonRoot/.test(message) ? 'failed' : 'waiting',
    line: 'container configuration error',
    evidence: message,
    next: toKubectlLine(namespace, 'describe', 'pod', name),
  };
}

/** `configmap` → `ConfigMap` */
export function toKindName(kind: string): string {
  return kind === 'configmap' ? 'ConfigMap' : 'Secret';
}

function judgeCrash(
  snapshot: Snapshot,
  pod: Pod,
  status: ContainerStatus,
  ended: Terminated,
  { since, isRetried = false }: JudgeOptions,
): Finding {
  const times = status.restartCount + 1;
  const isNew = Date.parse(pod.metadata.creationTimestamp) >= since - sameRollout || toStart(ended) >= since;
  return {
    state: times >= 2 && isNew && !isRetried ? 'failed' : 'waiting',
    ...describeCrash(snapshot, pod, status, ended, times),
  };
}

/** Start time of the run that ended, to the second; its end where the container could not be started. */
function toStart({ startedAt, finishedAt, reason }: Terminated): number {
  return Date.parse((reason === 'StartError' ? finishedAt : startedAt) ?? '');
}

function describeCrash(
  snapshot: Snapshot,
  pod: Pod,
  status: ContainerStatus,
  ended: Terminated,
  times: number,
): Omit<Finding, 'state'> {
  const isOnlyOne = pod.spec.containers.length === 1 && !isInit(pod, status);
  const who = isOnlyOne ? '' : `${isInit(pod, status) ? 'init container' : 'container'} ${status.name} `;
  const often = times === 1 ? '' : ` ${times} times`;
  const next = toLogsLine(pod, status.name, { previous: true });
  if (ended.reason === 'StartError') {
    const evidence = ended.message?.replace(/^.*unable to start container process: /, '') ?? '';
    return { line: `container ${status.name} cannot be started`, evidence, next };
  }
  if (ended.reason === 'OOMKilled') {
    const limit = findContainer(pod, status.name)?.resources?.limits?.memory;
    const line = `${who}out of memory (OOMKilled)${often}${limit === undefined ? '' : `, limit ${limit}`}`;
    return { line, next: toMemoryHint(pod) ?? next };
  }
  const killing = findLastEvent(snapshot, pod, ({ reason, message }) => {
    return reason === 'Killing' && /failed (liveness|startup) probe/.test(message ?? '');
  });
  const [, probe] = /failed (liveness|startup) probe/.exec(killing?.message ?? '') ?? [];
  if (probe === 'liveness' || probe === 'startup') {
    const evidence = findProbeFailure(snapshot, pod, probe);
    const wrong = describeWrongProbe(pod, status, probe, evidence);
    const line = `${who}killed${often}, ${probe} probe failed${wrong === undefined ? '' : `: ${wrong}`}`;
    const hint = wrong === undefined ? next : toProbeHint(pod, probe);
    return { line, ...(evidence === undefined ? {} : { evidence }), next: hint };
  }
  return {
    line: `${who}crashed${often}, ${describeExit(ended)}`,
    log: {
      namespace: pod.metadata.namespace ?? '',
      pod: pod.metadata.name,
      container: status.name,
      // The newest run that ended is the previous one once the next has started.
      previous: status.state?.terminated === undefined,
    },
    next,
  };
}

/** Whether an error message reports a full disk. */
export function isDiskFull(text: string): boolean {
  return /no space left on device|\bENOSPC\b|disk quota exceeded/i.test(text);
}

/** How a run ended: `exit code 3`, `signal 11`. */
export function describeExit({ exitCode, signal }: Terminated): string {
  return signal ? `signal ${signal}` : `exit code ${exitCode}`;
}

function toMemoryHint(pod: Pod): string | undefined {
  const key = toValuesKey(pod);
  return key && `raise ${key}.resources.limits.memory in helm/environments/local-kind.yaml, then npm run up`;
}

/** The image as the pod's spec names it; the status has the name that the node resolved. */
function imageOf(pod: Pod, status: ContainerStatus): string {
  return findContainer(pod, status.name)?.image ?? status.image;
}

function isInit({ spec }: Pod, { name }: ContainerStatus): boolean {
  return spec.initContainers?.some((each) => each.name === name) ?? false;
}
