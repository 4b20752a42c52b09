import { expect, test } from 'vitest';
import type { Workload } from '../../src/diagnosis/pods.ts';
import { waitUntilReady } from '../../src/diagnosis/ready.ts';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { judge } from '../../src/diagnosis/verdict.ts';
import { ApiFailure } from '../../src/tools/kubernetes/api-server.ts';
import { createKubectl } from '../../src/tools/kubernetes/kubectl.ts';
import { ago, makeDeployment, makeEvent, makePod, makeStatus, ready } from '../fakes/cluster-objects.ts';

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

interface WaitOptions {
  /** Milliseconds. */
  readonly stallTimeout?: number;
  /** The log at each time that it is read; the last one persists. */
  readonly logs?: readonly string[];
}

/** Waits while the cluster goes through these states, 10 seconds each; the last one persists. */
function wait(states: readonly (Objects | Error)[], { stallTimeout = 60_000, logs = [] }: WaitOptions = {}) {
  const reports: string[] = [];
  let asked = 0;
  let read = 0;
  /** Each snapshot shows the cluster 10 seconds later than the one before. */
  const now = () => asked * 10_000;
  const kubectl = createKubectl(
    async (_, args) => {
      const log = logs[Math.min(read++, logs.length - 1)];
      return { stdout: `${log ?? `log of ${args.slice(2).join(' ')}`}\n`, stderr: '' };
    },
    { program: 'kubectl', kubeconfig: 'kubeconfig', context: 'kind-wealist' },
  );
  const snapshots = {
    async take() {
      const state = states[Math.min(asked++, states.length - 1)] ?? [];
      if (state instanceof Error) throw state;
      return createSnapshot(Date.now() + asked, state);
    },
  };
  const { signal } = new AbortController();
  const run = { signal, report: (line: string) => void reports.push(line) };
  const ended = waitUntilReady(workload, { snapshots, kubectl, stallTimeout, interval: 1, run, now });
  return { ended, reports, minutes: () => now() / 60_000 };
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

test('without progress for the whole timeout the cause is the last verdict, with the last log lines', async () => {
  await expect(wait([starting], { stallTimeout: 180_000 }).ended).rejects.toMatchObject({
    message: 'auth did not become ready: no progress for 3 min 00 s',
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

const pod = (status: Parameters<typeof makeStatus>[0], phase = 'Running') => [
  ...makeDeployment('auth', { status: { replicas: 1, updatedReplicas: 1 } }),
  makePod('new', 'auth-2', { phase, containerStatuses: makeStatus(status) }),
];

const repeat = <T>(times: number, value: T) => Array.from({ length: times }, () => value);

test('a machine that is ten times slower is waited for while pods make progress', async () => {
  const states = [
    pod({ state: { waiting: { reason: 'ContainerCreating' } } }, 'Pending'),
    pod({ state: { running: { startedAt: ago(1) } }, started: false }),
    pod({ state: { running: { startedAt: ago(1) } }, started: true }),
  ];
  // 50 s each, 150 s in all.
  const { ended, minutes } = wait([...states.flatMap((each) => repeat(5, each)), done]);
  await ended;
  expect(minutes()).toBeGreaterThan(2);
});

test('while nothing but its log shows progress, new lines count, and repeated ones do not', async () => {
  const lines = [...'abcdefghij'].map((name, at) => `bean ${name} created in ${at} ms`);
  const logs = lines.map((_, at) => lines.slice(0, at + 1).join('\n'));
  const slow = wait([...repeat(20, starting), done], { logs });
  await slow.ended;
  expect(slow.minutes()).toBeGreaterThan(3);

  const retries = repeat(100, '').map((_, at) => `attempt ${at} (7f3a9c1b${at}): connection refused`);
  await expect(wait([starting], { logs: retries }).ended).rejects.toMatchObject({
    message: 'auth did not become ready: no progress for 1 min 00 s',
  });
});

test('an image that is being pulled is waited for, since containerd ends a pull that stalls', async () => {
  const pulling = [
    ...pod({ state: { waiting: { reason: 'ContainerCreating' } } }, 'Pending'),
    makeEvent('new', { reason: 'Pulling', message: 'Pulling image "auth:1"' }),
  ];
  const { ended, minutes } = wait([...repeat(60, pulling), done]);
  await ended;
  expect(minutes()).toBeGreaterThan(9);
});

test('a pod of another workload that becomes ready is progress, one that is restarted is not', async () => {
  const other = (restartCount: number, isReady: boolean) =>
    makePod('postgres', 'postgres-1', {
      ...(isReady && { conditions: ready }),
      containerStatuses: makeStatus({ restartCount, state: { waiting: { reason: 'CrashLoopBackOff' } } }),
    });
  const before = repeat(5, [...starting, other(0, false)]);
  const after = repeat(5, [...starting, other(0, true)]);
  await wait([...before, ...after, done], { logs: [''] }).ended;
  const restarts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((count) => [...starting, other(count, false)]);
  await expect(wait(restarts, { logs: [''] }).ended).rejects.toThrow('no progress for 1 min 00 s');
});

test('a Job whose pod runs has the log of that pod', () => {
  const job = {
    ...{ kind: 'Job', spec: {}, status: {} },
    metadata: {
      name: 'bootstrap',
      namespace: workload.namespace,
      uid: 'uid-bootstrap',
      creationTimestamp: ago(9),
    },
  };
  const running = makePod('bootstrap-a', 'bootstrap', {
    containerStatuses: makeStatus({ state: { running: { startedAt: ago(1) } } }),
  });
  const verdict = judge(createSnapshot(0, [job, running]), { ...workload, kind: 'Job', name: 'bootstrap' });
  expect(verdict).toMatchObject({ line: 'running', log: { pod: 'bootstrap-a', container: 'main' } });
});
