import { expect, test } from 'vitest';
import { getRunningPod } from '../../src/diagnosis/find-pod.ts';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import type { Pod } from '../../src/tools/kubernetes/objects.ts';
import { ago, makeDeployment, makePod, makeStatus, now, ready } from '../fakes/cluster-objects.ts';

const labels = { 'app.kubernetes.io/part-of': 'wealist', 'app.kubernetes.io/name': 'auth' };
const workload = { kind: 'Deployment', name: 'auth', namespace: 'wealist-kind-local' } as const;
const running = makeStatus({ state: { running: { startedAt: ago(3) } } });
const waiting = makeStatus({ state: { waiting: { reason: 'ContainerCreating' } } });

const pod = (name: string, seconds: number, options: Parameters<typeof makePod>[2]) =>
  makePod(name, 'auth-2', { labels, created: ago(seconds), ...options });
const find = (...pods: readonly (Pod & { readonly kind: 'Pod' })[]) =>
  getRunningPod(createSnapshot(now, [...makeDeployment('auth'), ...pods]), workload).metadata.name;

test('the newest ready pod that is not terminating, else the newest running one', () => {
  const old = pod('old', 90, { conditions: ready, containerStatuses: running });
  const newer = pod('newer', 60, { conditions: ready, containerStatuses: running });
  const ending = pod('ending', 40, { conditions: ready, containerStatuses: running, deleted: ago(1) });
  const crashing = pod('crashing', 30, { containerStatuses: running });
  const starting = pod('starting', 10, { containerStatuses: waiting });
  expect(find(old, newer, ending, crashing, starting)).toBe('newer');
  expect(find(ending, crashing, starting)).toBe('crashing');
});

test('no running pod: why', () => {
  expect(() => find(pod('starting', 10, { containerStatuses: waiting }))).toThrowError(
    expect.objectContaining({ message: 'no pod of auth is running', exitCode: 8 }),
  );
});
