import { describe, expect, it } from 'vitest';
import type { Manifest } from './manifests.ts';
import { listDangling } from './references.ts';

const object = (kind: string, name: string, rest: object = {}): Manifest => ({
  ...{ apiVersion: 'v1', kind, metadata: { name } },
  ...rest,
});
const pod = (spec: object) => ({
  spec: { template: { metadata: { labels: { app: 'a' } }, spec: { containers: [], ...spec } } },
});
const container = (settings: object) => pod({ containers: [{ name: 'a', image: 'a:1', ...settings }] });
const secretKey = (name: string, key: string) => ({ valueFrom: { secretKeyRef: { name, key } } });

describe('what an environment lacks is named', () => {
  it.each<[string, Manifest, string]>([
    [
      'a ConfigMap',
      object('Deployment', 'a', container({ envFrom: [{ configMapRef: { name: 'c' } }] })),
      'a: ConfigMap c',
    ],
    [
      'a key of a Secret',
      object('Deployment', 'a', container({ env: [{ name: 'X', ...secretKey('there', 'no') }] })),
      'a: Secret there no',
    ],
    [
      'a key that the kubelet fills in',
      object('Deployment', 'a', container({ env: [{ name: 'X', value: 'x$(NOPE)' }] })),
      'a: Secret wealist-shared-secret NOPE',
    ],
    [
      'a volume',
      object('Deployment', 'a', pod({ volumes: [{ name: 'v', configMap: { name: 'c' } }] })),
      'a: ConfigMap c',
    ],
    ['an account', object('Deployment', 'a', pod({ serviceAccountName: 's' })), 'a: ServiceAccount s'],
    [
      'the Service of a route',
      object('Ingress', 'i', {
        spec: {
          rules: [{ http: { paths: [{ backend: { service: { name: 's', port: { number: 1 } } } }] } }],
        },
      }),
      'i: Service s',
    ],
    [
      'the Service of an address',
      object('ConfigMap', 'c', { data: { A: 'http://livekit:7880' } }),
      'c: Service livekit',
    ],
    [
      'the Service of an address in a Secret',
      object('Secret', 's', { data: { A: Buffer.from('redis://:x@redis:6379/1').toString('base64') } }),
      's: Service redis',
    ],
    [
      'what an autoscaler scales',
      object('HorizontalPodAutoscaler', 'h', { spec: { scaleTargetRef: { kind: 'Deployment', name: 'd' } } }),
      'h: Deployment d',
    ],
    [
      'what a budget protects',
      object('PodDisruptionBudget', 'p', { spec: { selector: { matchLabels: { x: 'y' } } } }),
      'p: pods p',
    ],
    [
      'whom a policy lets in',
      object('NetworkPolicy', 'n', {
        spec: {
          podSelector: { matchLabels: { app: 'a' } },
          ingress: [{ from: [{ podSelector: { matchLabels: { app: 'b' } } }] }],
        },
      }),
      'n: pods b',
    ],
    ['a role', object('RoleBinding', 'r', { roleRef: { kind: 'Role', name: 'r' } }), 'r: Role r'],
  ])('%s', (_, manifest, missing) => {
    const there = [object('Deployment', 'there', pod({})), object('Secret', 'there', { data: { yes: '' } })];
    expect(listDangling([...there, manifest], [])).toEqual([missing]);
  });

  it('but for what exists outside', () => {
    const reads = object('Deployment', 'a', container({ env: [{ name: 'X', ...secretKey('s', 'k') }] }));
    expect(listDangling([reads], [{ kind: 'Secret', name: 's', key: 'k' }])).toEqual([]);
    expect(listDangling([reads], [{ kind: 'Secret', name: 's', key: 'other' }])).toEqual(['a: Secret s k']);
  });
});
