import { describe, expect, it } from 'vitest';
import type { PodSpec } from './manifests.ts';
import { listViolations } from './restricted.ts';

const fine: PodSpec = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'a',
      image: 'a:1',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
  volumes: [{ name: 'tmp', emptyDir: {} }],
};

function withContainer(change: object): PodSpec {
  return { ...fine, containers: fine.containers.map((container) => ({ ...container, ...change })) };
}

describe('the restricted Pod Security Standard', () => {
  it('finds nothing in a pod that keeps to it', () => {
    expect(listViolations(fine)).toEqual([]);
  });

  it.each<[string, PodSpec, readonly string[]]>([
    ['the host network', { ...fine, hostNetwork: true }, ['hostNetwork']],
    ['a folder of the host', { ...fine, volumes: [{ name: 'x', hostPath: {} }] }, ['volume x: hostPath']],
    [
      'an unsafe sysctl',
      {
        ...fine,
        securityContext: { ...fine.securityContext, sysctls: [{ name: 'kernel.msgmax', value: '1' }] },
      },
      ['sysctl kernel.msgmax'],
    ],
    ['root', { ...fine, securityContext: { ...fine.securityContext, runAsUser: 0 } }, ['a: runAsUser 0']],
    ['no pod settings', { ...fine, securityContext: {} }, ['a: runAsNonRoot', 'a: seccompProfile']],
    [
      'no container settings',
      withContainer({ securityContext: {} }),
      ['a: allowPrivilegeEscalation', 'a: capabilities kept'],
    ],
    [
      'a port of the node',
      withContainer({ ports: [{ name: 'x', containerPort: 1, hostPort: 1 }] }),
      ['a: hostPort'],
    ],
    [
      'a probe of another host',
      withContainer({ livenessProbe: { httpGet: { path: '/', port: 'x', host: 'y' } } }),
      ['a: host of a probe'],
    ],
  ])('names %s', (_, pod, violations) => {
    expect(listViolations(pod)).toEqual(violations);
  });
});
