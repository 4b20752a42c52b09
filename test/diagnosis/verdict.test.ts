import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Workload } from '../../src/diagnosis/pods.ts';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { judge, toProgress } from '../../src/diagnosis/verdict.ts';
import {
  ago,
  makeDeployment,
  makeEvent,
  makeNode,
  makePod,
  makeStatus,
  now,
  ready,
} from '../fakes/cluster-objects.ts';

const auth: Workload = { kind: 'Deployment', name: 'auth', namespace: 'wealist-kind-local' };

function judgeAuth(objects: Parameters<typeof createSnapshot>[1], since?: number) {
  return judge(createSnapshot(now, objects), auth, since === undefined ? {} : { since });
}

/** Objects of a real cluster, four minutes after all faults were made at once. */
describe('faults recorded from a real cluster', () => {
  const objects = JSON.parse(readFileSync(join(import.meta.dirname, '../recordings/faults.json'), 'utf8'));
  const snapshot = createSnapshot(now, objects);

  test.each([
    ['Deployment', 'good', 'ready', /^ready$/, undefined],
    [
      'Deployment',
      'never',
      'failed',
      /^image wealist\.local\/absent:1 not found on the node, and imagePullPolicy is Never$/,
      undefined,
    ],
    ['Deployment', 'invalid', 'failed', /^invalid image name "UPPER\/\/x"$/, /invalid reference format$/],
    ['Deployment', 'absent', 'failed', /^image pull failed: /, /^failed to do request: .* no such host$/],
    ['Deployment', 'nosecret', 'failed', /^Secret missing-secret does not exist$/, undefined],
    ['Deployment', 'noconfig', 'failed', /^ConfigMap missing-config does not exist$/, undefined],
    ['Deployment', 'nokey', 'failed', /^Secret present has no key B$/, undefined],
    ['Deployment', 'novolume', 'failed', /^Secret missing-secret does not exist$/, /^MountVolume/],
    ['Deployment', 'novolumekey', 'failed', /^volume mount failed$/, /non-existent secret key: B$/],
    [
      'Deployment',
      'huge',
      'failed',
      /^insufficient memory: requests 500 GiB, 23/,
      /^no node is large enough/,
    ],
    [
      'Deployment',
      'selector',
      'failed',
      /^no node matches its node selector, affinity or tolerations$/,
      /affinity\/selector\.$/,
    ],
    ['Deployment', 'crash', 'failed', /^crashed 6 times, exit code 3$/, undefined],
    ['Deployment', 'noexec', 'failed', /^container noexec cannot be started$/, /^exec: "\/nope"/],
    ['Deployment', 'oom', 'failed', /^out of memory \(OOMKilled\) 5 times, limit 32Mi$/, undefined],
    [
      'Deployment',
      'probe',
      'waiting',
      /^readiness probe failing: connection refused$/,
      /^Readiness probe failed: .*refused$/,
    ],
    ['Deployment', 'live', 'failed', /^killed 7 times, liveness probe failed$/, /^Liveness probe/],
    [
      'Deployment',
      'privileged',
      'failed',
      /^pod creation forbidden: violates PodSecurity baseline$/,
      /^priv/,
    ],
    ['Deployment', 'root', 'failed', /^container configuration error$/, /breaks non-root policy/],
    ['Deployment', 'init', 'failed', /^init container prepare crashed 6 times, exit code 1$/, undefined],
    [
      'Deployment',
      'nosuch',
      'absent',
      /^Deployment nosuch does not exist in namespace probe-ready$/,
      undefined,
    ],
    [
      'StatefulSet',
      'set-privileged',
      'failed',
      /^pod creation forbidden: violates PodSecurity/,
      /^privileged \(/,
    ],
    [
      'StatefulSet',
      'pvc',
      'failed',
      /^StorageClass nope of PersistentVolumeClaim data-pvc-0 does not exist$/,
      undefined,
    ],
    ['Job', 'job-good', 'ready', /^complete$/, undefined],
    ['Job', 'job-bad', 'failed', /^failed, exit code 1$/, undefined],
    ['Job', 'job-bad-twice', 'failed', /^failed$/, /^Job has reached the specified backoff limit$/],
  ] as const)('%s %s: %s', (kind, name, state, line, evidence) => {
    const verdict = judge(snapshot, { kind, name, namespace: 'probe-ready' });
    expect(verdict.state).toBe(state);
    expect(verdict.line).toMatch(line);
    if (evidence) expect(verdict.evidence).toMatch(evidence);
    else expect(verdict.evidence).toBeUndefined();
    expect(verdict.next === undefined).toBe(state === 'ready');
  });

  test('a crash names the log that shows why', () => {
    const { log } = judge(snapshot, { kind: 'Deployment', name: 'crash', namespace: 'probe-ready' });
    expect(log).toMatchObject({ pod: expect.stringMatching(/^crash-/), container: 'crash', previous: true });
    expect(judge(snapshot, { kind: 'Job', name: 'job-bad', namespace: 'probe-ready' }).log).toMatchObject({
      pod: expect.stringMatching(/^job-bad-/),
      previous: false,
    });
  });
});

describe('a rollout', () => {
  const done = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
  const newPod = makePod('new', 'auth-2', { conditions: ready });
  const oldPod = makePod('old', 'auth-1', { conditions: ready });

  test('is ready when only pods of the newest revision exist', () => {
    expect(judgeAuth([...makeDeployment('auth', { status: done }), newPod])).toMatchObject({
      state: 'ready',
    });
  });

  test('is not ready while a pod is not, whatever its controller still reports', () => {
    const restarted = makePod('new', 'auth-2', {
      containerStatuses: makeStatus({ state: { running: { startedAt: ago(1) } } }),
    });
    const objects = [...makeDeployment('auth', { status: done }), restarted];
    expect(judgeAuth(objects)).toMatchObject({ state: 'waiting', line: 'waiting for the readiness probe' });
  });

  test('has not started while its controller has not observed the newest specification', () => {
    const unseen = makeDeployment('auth', { status: { ...done, observedGeneration: 1 } });
    expect(judgeAuth([...unseen, newPod])).toMatchObject({
      state: 'waiting',
      line: 'waiting for the rollout to start',
    });
  });

  test('is not ready through its old pods', () => {
    const status = { replicas: 2, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
    const starting = makePod('new', 'auth-2', {
      containerStatuses: makeStatus({ state: { running: { startedAt: ago(1) } } }),
    });
    const verdict = judgeAuth([...makeDeployment('auth', { status }), starting, oldPod]);
    expect(verdict.state).toBe('waiting');
    expect(toProgress(verdict)).toBe('0 of 1 pod ready, waiting for the readiness probe');
  });

  test('waits until its old pods terminate', () => {
    const status = { ...done, replicas: 2, readyReplicas: 2, availableReplicas: 2 };
    const objects = [...makeDeployment('auth', { status }), newPod, oldPod];
    expect(judgeAuth(objects)).toMatchObject({
      state: 'waiting',
      line: 'waiting for the old pods to terminate',
    });
  });

  test('is not failed by pods of earlier revisions', () => {
    const crashing = makePod('old', 'auth-1', {
      containerStatuses: makeStatus({
        restartCount: 9,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 1, startedAt: ago(2) } },
      }),
    });
    const status = { replicas: 2, updatedReplicas: 1 };
    const verdict = judgeAuth([...makeDeployment('auth', { status }), crashing, makePod('new', 'auth-2')]);
    expect(verdict).toMatchObject({ state: 'waiting', line: 'creating containers' });
  });

  test('counts its ready pods', () => {
    const status = { replicas: 2, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1 };
    const pulling = makePod('second', 'auth-2', {
      containerStatuses: makeStatus({ state: { waiting: { reason: 'ContainerCreating' } } }),
    });
    const objects = [
      ...makeDeployment('auth', { replicas: 2, status }),
      newPod,
      pulling,
      makeEvent('second', { type: 'Normal', reason: 'Pulling' }),
    ];
    expect(toProgress(judgeAuth(objects))).toBe('1 of 2 pods ready, pulling image wealist.local/main:1');
  });
});

test.each([
  ['HTTP probe failed with statuscode: 503', 'readiness probe failing: HTTP 503'],
  [
    'Get "http://10.0.0.1:80/": dial tcp 10.0.0.1:80: connect: connection refused',
    'readiness probe failing: connection refused',
  ],
  ['Get "http://10.0.0.1:80/": context deadline exceeded', 'readiness probe failing: timeout'],
  ['command timed out: "redis-cli ping" timed out after 1s', 'readiness probe failing: timeout'],
  ['NOAUTH Authentication required.', 'readiness probe failing'],
])('a readiness probe that fails: %s', (failure, line) => {
  const running = makePod('new', 'auth-2', {
    containerStatuses: makeStatus({ state: { running: { startedAt: ago(60) } } }),
  });
  const message = `Readiness probe failed: ${failure}`;
  const event = makeEvent('new', { reason: 'Unhealthy', message });
  const deployment = makeDeployment('auth', { status: { replicas: 1, updatedReplicas: 1 } });
  expect(judgeAuth([...deployment, running, event])).toMatchObject({
    ...{ state: 'waiting', line, evidence: message, mayWaitForNeeds: true },
    log: { pod: 'new', previous: false },
  });
});

describe('a crash', () => {
  const started = makeDeployment('auth', { status: { replicas: 1, updatedReplicas: 1 } });
  const crashed = (restartCount: number, startedAt: string, created = ago(20)) =>
    makePod('new', 'auth-2', {
      created,
      containerStatuses: makeStatus({
        restartCount,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
        lastState: { terminated: { exitCode: 1, startedAt } },
      }),
    });

  test('may recover once, but not the second time', () => {
    expect(judgeAuth([...started, crashed(0, ago(3))], now)).toMatchObject({
      state: 'waiting',
      line: 'crashed, exit code 1',
    });
    expect(judgeAuth([...started, crashed(1, ago(3))], now)).toMatchObject({
      state: 'failed',
      line: 'crashed 2 times, exit code 1',
    });
  });

  test('long before the wait does not end it: the cause may be fixed', () => {
    const pod = crashed(7, ago(200), ago(3600));
    expect(judgeAuth([...started, pod], now - 10_000).state).toBe('waiting');
    expect(judgeAuth([...started, crashed(8, ago(5), ago(3600))], now - 10_000).state).toBe('failed');
    expect(judgeAuth([...started, pod]).state).toBe('failed');
  });

  test('of a Job is counted by the Job', () => {
    const job = {
      kind: 'Job',
      metadata: { ...started[0].metadata, name: 'auth', uid: 'uid-auth-2' },
      spec: { backoffLimit: 3 },
      status: { failed: 1 },
    };
    const verdict = judge(createSnapshot(now, [job, crashed(2, ago(1))]), { ...auth, kind: 'Job' });
    expect(verdict).toMatchObject({
      state: 'waiting',
      line: 'crashed 3 times, exit code 1, attempt 2 of 4',
      log: { pod: 'new', previous: true },
    });
  });
});

describe('an unschedulable pod', () => {
  const big = (since: string) =>
    makePod('new', 'auth-2', {
      phase: 'Pending',
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'Unschedulable',
          message: '0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available.',
          lastTransitionTime: since,
        },
      ],
      spec: { containers: [{ name: 'main', image: 'x', resources: { requests: { memory: '512Mi' } } }] },
    });
  const others = makePod('board-0', 'other', {
    spec: { containers: [{ name: 'board', image: 'x', resources: { requests: { memory: '800Mi' } } }] },
  });
  const objects = (pod: ReturnType<typeof big>) => {
    const { nodeName: _, ...spec } = pod.spec;
    const status = { replicas: 1, updatedReplicas: 1 };
    return [...makeDeployment('auth', { status }), makeNode({ memory: '1Gi' }), others, { ...pod, spec }];
  };

  test('waits for resources that other pods may release, but not for long', () => {
    expect(judgeAuth(objects(big(ago(2))))).toMatchObject({ state: 'waiting' });
    expect(judgeAuth(objects(big(ago(20))))).toMatchObject({
      state: 'failed',
      line: 'insufficient memory: requests 512 MiB, 224 MiB of 1 GiB free',
      evidence: 'largest requests on node node: board-0 800 MiB',
    });
  });
});

test('the next command for our own pods is one of this tool', () => {
  const labels = { 'app.kubernetes.io/part-of': 'wealist', 'app.kubernetes.io/name': 'auth-service' };
  const pod = makePod('new', 'auth-2', {
    labels,
    containerStatuses: makeStatus({
      restartCount: 3,
      state: { terminated: { exitCode: 137, reason: 'OOMKilled', startedAt: ago(2) } },
    }),
  });
  const objects = [...makeDeployment('auth', { status: { replicas: 1, updatedReplicas: 1 } }), pod];
  expect(judgeAuth(objects).next).toBe(
    'raise services.auth-service.resources.limits.memory in helm/environments/local-kind.yaml, then npm run up',
  );
});
