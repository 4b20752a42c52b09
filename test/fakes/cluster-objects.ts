import type {
  Condition,
  ContainerStatus,
  Deployment,
  Event,
  Node,
  Pod,
  ReplicaSet,
} from '../../src/tools/kubernetes/objects.ts';

/** Time of the snapshot. */
export const now = Date.parse('2026-11-23T12:00:00Z');

/** The time this many seconds before `now`. */
export function ago(seconds: number): string {
  return new Date(now - seconds * 1000).toISOString();
}

const namespace = 'wealist-kind-local';

const toReference = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name,
  uid: `uid-${name}`,
});

const metadata = (name: string, owner?: string) => ({
  name,
  namespace,
  uid: `uid-${name}`,
  creationTimestamp: ago(5),
  ...(owner === undefined ? {} : { ownerReferences: [toReference(owner)] }),
});

interface DeploymentOptions {
  readonly replicas?: number;
  readonly generation?: number;
  readonly status?: Deployment['status'];
}

/** A Deployment at its second revision, with the ReplicaSets of both. */
export function makeDeployment(
  name: string,
  { replicas = 1, generation = 2, status = {} }: DeploymentOptions = {},
) {
  const revision = (number: number) => ({
    annotations: { 'deployment.kubernetes.io/revision': String(number) },
  });
  const sets = [1, 2].map((number): ReplicaSet & { kind: 'ReplicaSet' } => ({
    kind: 'ReplicaSet',
    metadata: { ...metadata(`${name}-${number}`, name), ...revision(number) },
  }));
  const deployment: Deployment & { kind: 'Deployment' } = {
    kind: 'Deployment',
    metadata: { ...metadata(name), ...revision(2), generation },
    spec: { replicas, selector: {}, template: {} },
    status: { observedGeneration: generation, ...status },
  };
  return [deployment, ...sets] as const;
}

type PodOptions = Partial<Pod['status']> & {
  readonly created?: string;
  readonly deleted?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Partial<Pod['spec']>;
};

/** A pod of the ReplicaSet `owner`, on a node, with one container. */
export function makePod(
  name: string,
  owner: string,
  { created, deleted, labels, spec, ...status }: PodOptions = {},
): Pod & { readonly kind: 'Pod' } {
  return {
    kind: 'Pod',
    metadata: {
      ...metadata(name, owner),
      ...(created === undefined ? {} : { creationTimestamp: created }),
      ...(deleted === undefined ? {} : { deletionTimestamp: deleted }),
      ...(labels === undefined ? {} : { labels }),
    },
    spec: { nodeName: 'node', containers: [{ name: 'main', image: 'wealist.local/main:1' }], ...spec },
    status: { phase: 'Running', ...status },
  };
}

export const ready: readonly Condition[] = [{ type: 'Ready', status: 'True' }];

/** Status of the pod's one container. */
export function makeStatus(status: Partial<ContainerStatus>): readonly ContainerStatus[] {
  return [
    {
      name: 'main',
      ready: false,
      restartCount: 0,
      image: 'wealist.local/main:1',
      imageID: 'sha256:1',
      ...status,
    },
  ];
}

export function makeNode(allocatable: Node['status']['allocatable'] = {}): Node & { readonly kind: 'Node' } {
  return {
    kind: 'Node',
    metadata: { name: 'node', uid: 'uid-node', creationTimestamp: ago(600) },
    status: { allocatable: allocatable ?? {}, conditions: ready },
  };
}

export function makeEvent(about: string, event: Partial<Event>): Event & { readonly kind: 'Event' } {
  return {
    kind: 'Event',
    metadata: metadata(`${about}.event`),
    type: 'Warning',
    involvedObject: { uid: `uid-${about}`, name: about },
    lastTimestamp: ago(1),
    ...event,
  };
}
