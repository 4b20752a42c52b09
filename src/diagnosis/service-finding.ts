import { isPodReady, type Pod, type Service } from '../tools/kubernetes/objects.ts';
import { type Finding, toKubectlLine } from './finding.ts';
import { isIntercepted, toAgentName } from './intercept.ts';
import { describePorts, findPods, type Workload } from './pods.ts';
import type { Snapshot } from './snapshot.ts';

/** The command that restores objects which were changed or deleted by hand. */
export const repair = 'npm run up -- --repair';

/** Why the Service of a ready workload, which has the same name, does not route to its pods; undefined when it does. */
export function judgeService(snapshot: Snapshot, workload: Workload): Finding | undefined {
  const { name, namespace } = workload;
  const service = snapshot.find('Service', name, namespace);
  if (!service) {
    return { state: 'failed', line: `Service ${name} does not exist`, next: repair };
  }
  if (isIntercepted(service)) return judgeIntercepted(snapshot, service);
  const [pod] = findPods(snapshot, workload).current;
  if (!pod) return undefined;
  return (
    judgeSelector(service, pod) ??
    judgePorts(service, pod) ??
    (countEndpoints(snapshot, name, namespace) > 0
      ? undefined
      : {
          state: 'waiting',
          line: `Service ${name} has no endpoints yet`,
          next: toKubectlLine(namespace, 'describe', 'service', name),
        })
  );
}

/** An intercepted Service routes to its agent, which gives it back when nobody is connected. */
function judgeIntercepted(
  snapshot: Snapshot,
  { metadata: { name, namespace = '' } }: Service,
): Finding | undefined {
  const agent = snapshot.find('Pod', toAgentName(name), namespace);
  if (agent && isPodReady(agent)) return undefined;
  return {
    state: 'failed',
    line: `Service ${name} is intercepted, and pod ${toAgentName(name)} is not ready`,
    next: repair,
  };
}

function judgeSelector({ metadata, spec: { selector = {} } }: Service, pod: Pod): Finding | undefined {
  const labels = pod.metadata.labels ?? {};
  const missed = Object.entries(selector).filter(([key, value]) => labels[key] !== value);
  if (missed.length === 0) return undefined;
  const wanted = missed.map(([key, value]) => `${key}=${value}`).join(', ');
  const found = missed.map(([key]) =>
    labels[key] === undefined ? `no label ${key}` : `${key}=${labels[key]}`,
  );
  return {
    state: 'failed',
    line: `Service ${metadata.name} has no endpoints: its selector matches no pod`,
    evidence: `the selector is ${wanted}; pod ${pod.metadata.name} has ${found.join(', ')}`,
    next: repair,
  };
}

function judgePorts({ metadata: { name }, spec: { ports = [] } }: Service, pod: Pod): Finding | undefined {
  const declared = pod.spec.containers.flatMap((container) => container.ports ?? []);
  if (declared.length === 0) return undefined;
  const wrong = ports.find(({ port, targetPort = port }) =>
    declared.every((each) => each.containerPort !== targetPort && each.name !== targetPort),
  );
  if (!wrong) return undefined;
  return {
    state: 'failed',
    line: `Service ${name} has targetPort ${wrong.targetPort ?? wrong.port}, which its pods do not have`,
    evidence: `container ports of pod ${pod.metadata.name}: ${describePorts(pod.spec.containers)}`,
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
