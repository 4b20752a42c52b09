import { expect, test } from 'vitest';
import { listDenyingPolicies } from '../../src/diagnosis/policy-finding.ts';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import type { NetworkPolicy } from '../../src/tools/kubernetes/network-objects.ts';
import type { Pod } from '../../src/tools/kubernetes/objects.ts';
import { makePod, now } from '../fakes/cluster-objects.ts';

const pod = (app: string, port: number, namespace = 'wealist-kind-local'): Pod => {
  const { metadata, ...rest } = makePod(app, 'owner', {
    labels: { app, 'app.kubernetes.io/part-of': 'wealist' },
    spec: { containers: [{ name: app, image: 'x', ports: [{ name: 'main', containerPort: port }] }] },
  });
  return { ...rest, metadata: { ...metadata, namespace } };
};
const chat = pod('chat', 8001);
const redis = pod('redis', 6379);
const proxy = pod('traefik', 80, 'ingress-nginx');

const policy = (name: string, spec: NetworkPolicy['spec'], namespace = 'wealist-kind-local') => ({
  kind: 'NetworkPolicy',
  metadata: { name, namespace, uid: name, creationTimestamp: '' },
  spec,
});
const of = (app: string) => ({ matchLabels: { app } });
const denying = (from: Pod, to: Pod, port: number, ...policies: ReturnType<typeof policy>[]) =>
  listDenyingPolicies(createSnapshot(now, policies), { from, to, port });

test('without a policy everything is allowed', () => {
  expect(denying(chat, redis, 6379)).toEqual([]);
});

test('a selected pod accepts only the connections that a rule allows', () => {
  const closed = policy('closed', { podSelector: {} });
  expect(denying(chat, redis, 6379, closed)).toEqual(['closed']);
  const open = policy('open', {
    podSelector: of('redis'),
    ingress: [{ from: [{ podSelector: of('chat') }], ports: [{ port: 'main' }] }],
  });
  expect(denying(chat, redis, 6379, closed, open)).toEqual([]);
  expect(denying(chat, redis, 1234, closed, open)).toEqual(['closed', 'open']);
  expect(denying(pod('board', 1), redis, 6379, open)).toEqual(['open']);
});

test('a policy of another namespace, or for another pod, does not apply', () => {
  expect(denying(chat, redis, 6379, policy('of-another-namespace', { podSelector: {} }, 'other'))).toEqual(
    [],
  );
  expect(denying(chat, redis, 6379, policy('other', { podSelector: of('postgres') }))).toEqual([]);
});

test('from another namespace only a rule with a namespace selector allows a connection', () => {
  const same = policy('same', { podSelector: of('chat'), ingress: [{ from: [{ podSelector: {} }] }] });
  expect(denying(proxy, chat, 8001, same)).toEqual(['same']);
  const other = policy('other', {
    podSelector: of('chat'),
    ingress: [
      { from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } } }] },
    ],
  });
  expect(denying(proxy, chat, 8001, same, other)).toEqual([]);
});

test('egress is denied once a policy selects the pod for it', () => {
  const shut = policy('shut', { podSelector: of('chat'), policyTypes: ['Egress'] });
  expect(denying(chat, redis, 6379, shut)).toEqual(['shut']);
  const let6379 = policy('let', {
    podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['chat', 'board'] }] },
    policyTypes: ['Egress'],
    egress: [{ to: [{ podSelector: of('redis') }], ports: [{ port: 6000, endPort: 6400 }] }],
  });
  expect(denying(chat, redis, 6379, shut, let6379)).toEqual([]);
  expect(denying(redis, chat, 8001, shut, let6379)).toEqual([]);
});
