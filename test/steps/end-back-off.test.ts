import { expect, test } from 'vitest';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { endBackOff } from '../../src/steps/end-back-off.ts';
import { createKubectl } from '../../src/tools/kubernetes/kubectl.ts';
import { makeDeployment, makePod, makeStatus, now } from '../fakes/cluster-objects.ts';

const workload = { kind: 'Deployment', name: 'auth', namespace: 'wealist-kind-local' } as const;
const waiting = (reason: string) => ({ containerStatuses: makeStatus({ state: { waiting: { reason } } }) });

async function endIn(objects: Parameters<typeof createSnapshot>[1]): Promise<readonly string[][]> {
  const calls: string[][] = [];
  const kubectl = createKubectl(
    async (_, args) => {
      calls.push(args.slice(2));
      return { stdout: '', stderr: '' };
    },
    { program: 'kubectl', kubeconfig: 'kubeconfig', context: 'kind-wealist' },
  );
  const snapshot = createSnapshot(now, [...makeDeployment('auth'), ...objects]);
  await endBackOff(snapshot, workload, kubectl, new AbortController().signal);
  return calls;
}

test('only pods in CrashLoopBackOff are deleted', async () => {
  const [call, ...more] = await endIn([
    makePod('crashed', 'auth-2', waiting('CrashLoopBackOff')),
    makePod('starting', 'auth-2', waiting('ContainerCreating')),
    makePod('stranger', 'other', waiting('CrashLoopBackOff')),
    makePod('terminating', 'auth-2', { ...waiting('CrashLoopBackOff'), deleted: '2026-11-23T12:00:00Z' }),
  ]);
  expect(more).toEqual([]);
  expect(call?.slice(0, 2)).toEqual(['delete', 'pods']);
  expect(call?.filter((word) => !word.startsWith('-')).slice(2)).toEqual(['crashed']);
});

test('no request without such a pod', async () => {
  expect(await endIn([makePod('starting', 'auth-2', waiting('ContainerCreating'))])).toEqual([]);
});
