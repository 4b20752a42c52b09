import { expect, test } from 'vitest';
import {
  type Denied,
  findDenied,
  findPolicies,
  probe,
  toPolicyState,
} from '../../src/cluster/network-policies.ts';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { CommandFailure } from '../../src/lib/failure.ts';
import { makeNode, makePod, now, ready } from '../fakes/cluster-objects.ts';

const namespace = 'wealist-kind-local';
const { signal } = new AbortController();

const component = (name: string, podIP: string, port: number) =>
  makePod(`${name}-1`, name, {
    conditions: ready,
    podIP,
    labels: { 'app.kubernetes.io/part-of': 'wealist', 'app.kubernetes.io/name': name },
    spec: { containers: [{ name, image: 'x', ports: [{ containerPort: port }] }] },
  });
const policy = (name: string, uid = `uid-${name}`) => ({
  kind: 'NetworkPolicy',
  metadata: { name, namespace, uid, creationTimestamp: '' },
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
});
const redis = component('redis', '10.244.0.3', 6379);
const auth = component('auth-service', '10.244.1.4', 8080);
const node = {
  ...makeNode(),
  metadata: { ...makeNode().metadata, labels: { 'node-role.kubernetes.io/control-plane': '' } },
};

const denyAll = policy('default-deny');

test('a connection that a policy denies, between components that are ready', () => {
  const about = (name: string, policyTypes: readonly string[]) => ({
    ...policy(name),
    spec: { podSelector: { matchLabels: { 'app.kubernetes.io/name': name } }, policyTypes },
  });
  const find = (...policies: object[]) =>
    findDenied(createSnapshot(now, [redis, auth, ...(policies as (typeof denyAll)[])]), namespace);
  const [store, service] = [
    { name: 'redis-1', node: 'node', address: '10.244.0.3' },
    { name: 'auth-service-1', node: 'node', address: '10.244.1.4' },
  ];
  expect(find(about('redis', ['Egress']))).toEqual({ from: store, to: { ...service, port: 8080 } });
  expect(find(about('redis', ['Ingress']))).toEqual({ from: service, to: { ...store, port: 6379 } });
  expect(find(denyAll)).toBeDefined();
  expect(find(about('postgres', ['Egress', 'Ingress']))).toBeUndefined();
  expect(find()).toBeUndefined();
  expect(findDenied(createSnapshot(now, [auth, denyAll]), namespace)).toBeUndefined();
  expect(findDenied(createSnapshot(now, [auth, redis, denyAll]), 'another')).toBeUndefined();
});

/** Exit codes of the connection from the target's node and of the one from the pod. */
function network(own: number, fromPod: number) {
  return {
    async exec(_: string, argv: readonly string[]) {
      const status = argv.length > 5 ? fromPod : own;
      if (status === 0) return { stdout: '', stderr: '' };
      throw new CommandFailure('ended', { argv, status, stdout: '', stderr: '' });
    },
  };
}

test.each([
  ['refused', 0, 124, 'enforced'],
  ['reset', 0, 1, 'enforced'],
  ['accepted', 0, 0, 'not enforced'],
  ['refused, and also from its own node', 124, 124, undefined],
  ['not attempted: the pod no longer exists', 0, 3, undefined],
])('a connection that is %s', async (_, own, fromPod, found) => {
  const denied = findDenied(createSnapshot(now, [auth, redis, denyAll]), namespace) as Denied;
  expect(await probe(denied, network(own, fromPod), signal)).toBe(found);
});

test('a record counts for its cluster and its policies only', () => {
  const snapshot = createSnapshot(now, [node, policy('default-deny')]);
  const policies = findPolicies(snapshot, namespace) ?? '';
  const record = { cluster: 'uid-node', policies, enforced: true, at: 5 };
  expect(toPolicyState(snapshot, namespace, record)).toEqual({ state: 'enforced', at: 5 });
  expect(toPolicyState(snapshot, namespace, { ...record, enforced: false }).state).toBe('not enforced');
  expect(toPolicyState(snapshot, namespace, { ...record, cluster: 'other' }).state).toBe('not probed');
  expect(toPolicyState(snapshot, namespace, undefined).state).toBe('not probed');
  expect(toPolicyState(snapshot, 'another', record).state).toBe('none');
  const labels = {
    'app.kubernetes.io/name': 'board-service',
    'app.kubernetes.io/instance': 'board-service.intercept',
  };
  const agent = policy('board-service-intercept');
  const ofAgent = { ...agent, metadata: { ...agent.metadata, labels } };
  const intercepted = createSnapshot(now, [node, policy('default-deny'), ofAgent]);
  expect(toPolicyState(intercepted, namespace, record).state).toBe('enforced');
  const later = createSnapshot(now, [node, policy('default-deny', 'recreated')]);
  expect(toPolicyState(later, namespace, record).state).toBe('not probed');
});
