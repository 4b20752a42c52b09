import type { Container, ContainerStatus, Pod, PortReference, Probe } from '../tools/kubernetes/objects.ts';
import { findLastEvent } from './events.ts';
import { type Finding, toKubectlLine, toLogsLine, toValuesKey } from './finding.ts';
import { describePorts, findContainer } from './pods.ts';
import type { Snapshot } from './snapshot.ts';

export type ProbeKind = 'startup' | 'readiness' | 'liveness';

/** Milliseconds after which a wrong port or path counts as an error of the probe, not of a program that is starting. */
const timeout = 15_000;

/** Why a container that is running is not ready. */
export function judgeProbe(snapshot: Snapshot, pod: Pod, status: ContainerStatus): Finding {
  const kind = status.started === false ? 'startup' : 'readiness';
  const evidence = findProbeFailure(snapshot, pod, kind);
  const wrong = describeWrongProbe(pod, status, kind, evidence);
  const common = evidence === undefined ? {} : { evidence };
  if (wrong) {
    const running = snapshot.time - Date.parse(status.state?.running?.startedAt ?? '');
    const state = running >= timeout ? 'failed' : 'waiting';
    return { state, line: `${kind} probe failed: ${wrong}`, ...common, next: toProbeHint(pod, kind) };
  }
  return {
    state: 'waiting',
    line: evidence === undefined ? `waiting for the ${kind} probe` : describeFailing(kind, evidence),
    mayWaitForNeeds: true,
    ...common,
    log: {
      namespace: pod.metadata.namespace ?? '',
      pod: pod.metadata.name,
      container: status.name,
      previous: false,
    },
    next: toLogsLine(pod, status.name),
  };
}

/** The last message of the kubelet about a probe of a pod that failed. */
export function findProbeFailure(snapshot: Snapshot, pod: Pod, kind: ProbeKind): string | undefined {
  return findLastEvent(snapshot, pod, ({ reason, message }) => {
    return reason === 'Unhealthy' && message?.toLowerCase().startsWith(kind) === true;
  })?.message;
}

/** `readiness probe failing: HTTP 503`; the kubelet's message follows as evidence. */
function describeFailing(kind: ProbeKind, failure: string): string {
  const [, code] = /statuscode: (\d+)/.exec(failure) ?? [];
  const [reason] = /connection refused|timed? ?out|context deadline exceeded/i.exec(failure) ?? [];
  const error = reason === undefined || /refused/i.test(reason) ? reason : 'timeout';
  const detail = code === undefined ? error : `HTTP ${code}`;
  return `${kind} probe failing${detail === undefined ? '' : `: ${detail}`}`;
}

/** Why a probe can never succeed as it is configured; undefined when its port and path may be right. */
export function describeWrongProbe(
  pod: Pod,
  { name }: ContainerStatus,
  kind: ProbeKind,
  failure: string | undefined,
): string | undefined {
  const container = findContainer(pod, name);
  const probe = container?.[`${kind}Probe`];
  const asked = probe?.httpGet ?? probe?.tcpSocket;
  if (!container || !probe || !asked) return undefined;
  const port = findPort(container, asked.port);
  if (port === undefined) return `the container has no port named ${asked.port}`;
  if (/connection refused$/.test(failure ?? '') && !listPorts(container).includes(port)) {
    return `connection refused on port ${port}; container ports: ${describePorts([container])}`;
  }
  const [, code] = /HTTP probe failed with statuscode: (404|405|410)/.exec(failure ?? '') ?? [];
  return code === undefined ? undefined : `HTTP ${code} from ${toPath(probe)} on port ${port}`;
}

/** What the user does to correct a probe of this pod. */
export function toProbeHint(pod: Pod, kind: ProbeKind): string {
  const key = toValuesKey(pod);
  const { name, namespace } = pod.metadata;
  if (key === undefined) return toKubectlLine(namespace, 'describe', 'pod', name);
  return `correct ${key}.probes.${kind} in helm/environments/local-kind.yaml, then npm run up`;
}

function toPath({ httpGet }: Probe): string {
  return httpGet?.path ?? '/';
}

function listPorts({ ports = [] }: Container): readonly number[] {
  return ports.map(({ containerPort }) => containerPort);
}

function findPort({ ports = [] }: Container, port: PortReference): number | undefined {
  return typeof port === 'number' ? port : ports.find(({ name }) => name === port)?.containerPort;
}
