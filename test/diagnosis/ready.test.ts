import { expect, test } from 'vitest';
import type { Workload } from '../../src/diagnosis/pods.ts';
import { waitUntilReady } from '../../src/diagnosis/ready.ts';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { ApiFailure } from '../../src/tools/kubernetes/api-server.ts';
import { createKubectl } from '../../src/tools/kubernetes/kubectl.ts';
import { ago, makeDeployment, makePod, makeStatus, ready } from '../fakes/cluster-objects.ts';

const workload: Workload = { kind: 'Deployment', name: 'auth', namespace: 'wealist-kind-local' };

type Objects = Parameters<typeof createSnapshot>[1];

const starting: Objects = [
  ...makeDeployment('auth', { status: { replicas: 1, updatedReplicas: 1 } }),
  makePod('new', 'auth-2', {
    containerStatuses: makeStatus({ state: { running: { startedAt: ago(1) } } }),
  }),
];
const done: Objects = [
  ...makeDeployment('auth', {
    status: { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
  }),
  makePod('new', 'auth-2', { conditions: ready }),
];
const crashing: Objects = [
  ...makeDeployment('auth', { status: { replicas: 1, updatedReplicas: 1 } }),
  makePod('new', 'auth-2', {
    created: new Date().toISOString(),
    containerStatuses: makeStatus({
      restartCount: 1,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 3 } },
    }),
  }),
];

const noResponse = new ApiFailure('the cluster does not respond');

/** Waits while the cluster goes through these states; the last one persists. */
function wait(states: readonly (Objects | Error)[], { timeout = 5_000 } = {}) {
  const reports: string[] = [];
  let asked = 0;
  const kubectl = createKubectl(
    async (_, args) => ({ stdout: `log of ${args.slice(2).join(' ')}\n`, stderr: '' }),
    { program: 'kubectl', kubeconfig: 'kubeconfig', context: 'kind-wealist' },
  );
  const snapshots = {
    async take() {
      const state = states[Math.min(asked++, states.length - 1)] ?? [];
      if (state instanceof Error) throw state;
      return createSnapshot(Date.now(), state);
    },
  };
  const { signal } = new AbortController();
  const run = { signal, report: (line: string) => void reports.push(line) };
  const ended = waitUntilReady(workload, { snapshots, kubectl, timeout, interval: 1, run });
  return { ended, reports };
}

test('shows what it waits for, until it is ready', async () => {
  const { ended, reports } = wait([starting, done]);
  await ended;
  expect(reports).toEqual(['0 of 1 pod ready, waiting for the readiness probe']);
});

test('tolerates a cluster that does not respond for a moment', async () => {
  const { ended, reports } = wait([noResponse, noResponse, done]);
  await ended;
  expect(reports).toEqual(['the cluster does not respond', 'the cluster does not respond']);
});

test('after the timeout the cause is the last verdict, with the last log lines', async () => {
  await expect(wait([starting], { timeout: 20 }).ended).rejects.toMatchObject({
    message: 'auth did not become ready in 0.0 s',
    cause: [
      'waiting for the readiness probe',
      'log of logs --namespace=wealist-kind-local new --container=main --tail=30',
    ].join('\n'),
    hint: 'npm run kubectl -- -n wealist-kind-local logs new -c main',
    exitCode: 8,
  });
});

test('ends at once on a failure that does not recover, with the last log lines', async () => {
  await expect(wait([starting, crashing]).ended).rejects.toMatchObject({
    message: 'auth did not become ready',
    cause: [
      'crashed 2 times, exit code 3',
      'log of logs --namespace=wealist-kind-local new --container=main --tail=30 --previous',
    ].join('\n'),
    exitCode: 8,
  });
});

test('a workload that does not exist is not waited for', async () => {
  await expect(wait([[]]).ended).rejects.toMatchObject({
    cause: 'Deployment auth does not exist in namespace wealist-kind-local',
  });
});
