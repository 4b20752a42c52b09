import type { Pod } from '../../src/tools/kubernetes/objects.ts';
import { makeDeployment, makeNode, makePod, makeStatus, ready } from './cluster-objects.ts';

const namespace = 'wealist-kind-local';
const done = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };

export interface ComponentState {
  /** Replaces the status of a ready pod. */
  readonly status?: Partial<Pod['status']>;
  readonly replicas?: number;
}

const labelsOf = (name: string) => ({
  app: name,
  'app.kubernetes.io/name': name,
  'app.kubernetes.io/part-of': 'wealist',
});

/** A Deployment with its pod, Service and EndpointSlice. */
export function makeComponent(name: string, port: number, { status, replicas = 1 }: ComponentState = {}) {
  const isReady = status === undefined;
  const pod = makePod(`${name}-0`, `${name}-2`, {
    labels: labelsOf(name),
    spec: {
      containers: [
        { name, image: `wealist.local/${name}:1`, ports: [{ name: 'http', containerPort: port }] },
      ],
    },
    ...(isReady ? { conditions: ready, containerStatuses: makeStatus({ name, ready: true }) } : status),
  });
  return [
    ...makeDeployment(name, {
      replicas,
      status: isReady && replicas > 0 ? done : { replicas, updatedReplicas: replicas },
    }),
    ...(replicas === 0 ? [] : [pod]),
    {
      kind: 'Service',
      metadata: { name, namespace, uid: `service-${name}`, creationTimestamp: '' },
      spec: {
        clusterIP: `10.96.0.${port % 250}`,
        selector: { 'app.kubernetes.io/name': name },
        ports: [{ port, targetPort: 'http' }],
      },
    },
    {
      kind: 'EndpointSlice',
      metadata: {
        name: `${name}-x`,
        namespace,
        uid: `slice-${name}`,
        creationTimestamp: '',
        labels: { 'kubernetes.io/service-name': name },
      },
      endpoints:
        isReady && replicas > 0 ? [{ conditions: { ready: true }, targetRef: { name: `${name}-0` } }] : [],
    },
  ];
}

/** An Ingress with these routes. */
export function makeIngress(...routes: readonly (readonly [path: string, service: string, port: number])[]) {
  const paths = routes.map(([path, name, number]) => ({
    path,
    backend: { service: { name, port: { number } } },
  }));
  return {
    kind: 'Ingress',
    metadata: { name: 'wealist-services', namespace, uid: 'ingress', creationTimestamp: '' },
    spec: { rules: [{ http: { paths } }] },
  };
}

export const node = makeNode();
