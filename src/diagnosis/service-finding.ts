import type { Pod, Service } from '../tools/kubernetes/objects.ts';
import { type Finding, toKubectlLine } from './finding.ts';
import { describePorts, findPods, type Workload } from './pods.ts';
import type { Snapshot } from './snapshot.ts';

/** What brings back what somebody changed or removed by hand. */
export const repair = 'npm run up -- --repair';

/** Why the Service that is named as a workload does not lead to its pods, which are ready; undefined when it does. */
export function judgeService(snapshot: Snapshot, workload: Workload): Finding | undefined {
  const { name, namespace } = workload;
  const service = snapshot.find('Service', name, namespace);
  if (!service) {
    return { state: 'failed', line: `Service ${name} does not exist`, next: repair };
  }
  const [pod] = findPods(snapshot, workload).current;
  if (!pod) return undefined;
  return (
    judgeSelector(service, pod) ??
    judgePorts(service, pod) ??
    (countEndpoints(snapshot, name, namespace) > 0
      ? undefined
      : {
          state: 'waiting',
          line: `Service ${name} has no endpoint yet`,
          next: toKubectlLine(namespace, 'describe', 'service', name),
        })
  );
}

function judgeSelector({ metadata, spec: { selector = {} } }: Service, pod: Pod): Finding | undefined {
  const labels = pod.metadata.labels ?? {};
  const missed = Object.entries(selector).filter(([key, value]) => labels[key] !== value);
  if (missed.length === 0) return undefined;
  const describe = ([key, value]: readonly [string, string | undefined]) => `${key}=${value ?? 'nothing'}`;
  return {
    state: 'failed',
    line: `Service ${metadata.name} selects no pod: its endpoints are empty`,
    evidence: `it selects ${missed.map(describe).join(', ')}; pod ${pod.metadata.name} has ${missed
      .map(([key]) => describe([key, labels[key]]))
      .join(', ')}`,
    next: repair,
  };
}

function judgePorts({ metadata: { name }, spec: { ports = [] } }: Service, pod: Pod): Finding | undefined {
  const offered = pod.spec.containers.flatMap((container) => container.ports ?? []);
  if (offered.length === 0) return undefined;
  const wrong = ports.find(({ port, targetPort = port }) =>
    offered.every((each) => each.containerPort !== targetPort && each.name !== targetPort),
  );
  if (!wrong) return undefined;
  return {
    state: 'failed',
    line: `Service ${name} leads to port ${wrong.targetPort ?? wrong.port}, which its pods do not have`,
    evidence: `pod ${pod.metadata.name} has ${describePorts(pod.spec.containers)}`,
    next: repair,
  };
}

function countEndpoints(snapshot: Snapshot, service: string, namespace: string): number {
  return snapshot
    .list('EndpointSlice')
    .filter(({ metadata }) => metadata.namespace === namespace)
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === service)
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false).length;
}
