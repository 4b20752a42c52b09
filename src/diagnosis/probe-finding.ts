import type { Container, ContainerStatus, Pod, PortReference, Probe } from '../tools/kubernetes/objects.ts';
import { findLastEvent } from './events.ts';
import { type Finding, toKubectlLine, toLogsLine, toValuesKey } from './finding.ts';
import { describePorts, findContainer } from './pods.ts';
import type { Snapshot } from './snapshot.ts';

export type ProbeKind = 'startup' | 'readiness' | 'liveness';

/** Milliseconds that a program has to listen and to know its paths, until its probe counts as the one that is wrong. */
const timeout = 15_000;

/** What a container that runs and is not ready waits for. */
export function judgeProbe(snapshot: Snapshot, pod: Pod, status: ContainerStatus): Finding {
  const kind = status.started === false ? 'startup' : 'readiness';
  const evidence = findProbeFailure(snapshot, pod, kind);
  const wrong = describeWrongProbe(pod, status, kind, evidence);
  const common = evidence === undefined ? {} : { evidence };
  if (wrong) {
    const running = snapshot.time - Date.parse(status.state?.running?.startedAt ?? '');
    const state = running >= timeout ? 'failed' : 'waiting';
    return { state, line: `its ${kind} probe ${wrong}`, ...common, next: toProbeHint(pod, kind) };
  }
  return {
    state: 'waiting',
    line: `waiting for the ${kind} probe`,
    isOpen: true,
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

/** The node's last word on a probe of a pod. */
export function findProbeFailure(snapshot: Snapshot, pod: Pod, kind: ProbeKind): string | undefined {
  return findLastEvent(snapshot, pod, ({ reason, message }) => {
    return reason === 'Unhealthy' && message?.toLowerCase().startsWith(kind) === true;
  })?.message;
}

/** What is wrong with what a probe asks, as the rest of a sentence; undefined when it may well be right. */
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
  if (port === undefined) return `asks port ${asked.port}, and its container has none of that name`;
  if (/connection refused$/.test(failure ?? '') && !listPorts(container).includes(port)) {
    return `asks port ${port}, where nothing listens; its container has ${describePorts([container])}`;
  }
  const [, code] = /HTTP probe failed with statuscode: (404|405|410)/.exec(failure ?? '') ?? [];
  return code === undefined ? undefined : `asks ${toPath(probe)} on port ${port}, which answers ${code}`;
}

/** How a person corrects a probe of this pod. */
export function toProbeHint(pod: Pod, kind: ProbeKind): string {
  const key = toValuesKey(pod);
  const { name, namespace } = pod.metadata;
  if (key === undefined) return toKubectlLine(namespace, 'describe', 'pod', name);
  return `put ${key}.probes.${kind} right in helm/environments/local-kind.yaml, then npm run up`;
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
