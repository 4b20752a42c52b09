import { describe, expect, test } from 'vitest';
import { findCauses } from '../../src/diagnosis/causes.ts';
import { type Component, listUnready, type Silent } from '../../src/diagnosis/component.ts';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { ago, makeEvent, makeNode, makeStatus, now } from '../fakes/cluster-objects.ts';
import { makeComponent, makeIngress, node } from '../fakes/platform.ts';

const namespace = 'wealist-kind-local';
const component = (name: string, port: number, needs: readonly string[] = [], path?: string): Component => ({
  ...{ name, port, needs, kind: path === undefined ? 'infrastructure' : 'service' },
  workload: { kind: 'Deployment', name, namespace },
  ...(path === undefined ? {} : { path }),
});
const components = [
  component('postgres', 5432),
  component('redis', 6379),
  component('user', 8081, ['postgres'], '/svc/user'),
  component('board', 8000, ['postgres', 'redis', 'user'], '/svc/board'),
  component('chat', 8001, ['postgres', 'redis', 'user'], '/svc/chat'),
];
const ingress = makeIngress(
  ['/svc/user', 'user', 8081],
  ['/svc/board(/|$)(.*)', 'board', 8000],
  ['/svc/chat', 'chat', 8001],
);
const all = { postgres: 5432, redis: 6379, user: 8081, board: 8000, chat: 8001 } as const;
type Name = keyof typeof all;
type Objects = Parameters<typeof createSnapshot>[1];

const waiting = (name: string, since = 60) => ({
  status: {
    containerStatuses: makeStatus({ name, started: true, state: { running: { startedAt: ago(since) } } }),
  },
});
const crashed = (name: string) => ({
  status: {
    containerStatuses: makeStatus({
      ...{ name, restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } } },
      lastState: { terminated: { exitCode: 3, startedAt: ago(9) } },
    }),
  },
});

interface Given {
  readonly broken?: Partial<Record<Name, object>>;
  readonly absent?: readonly Name[];
  readonly logs?: Partial<Record<Name, string>>;
  readonly silent?: readonly Silent[];
  readonly objects?: Objects;
  /** UIDs of objects that are left out. */
  readonly without?: readonly string[];
}

async function find({ broken = {}, absent = [], logs = {}, silent = [], objects = [], without = [] }: Given) {
  const names = (Object.keys(all) as Name[]).filter((name) => !absent.includes(name));
  const made = names.flatMap((name) => makeComponent(name, all[name], broken[name]));
  const snapshot = createSnapshot(
    now,
    [node, ingress, ...made]
      .filter(({ metadata }) => !without.includes(metadata.uid))
      .concat(objects as never) as Objects,
  );
  const unready = await listUnready(snapshot, components, async ({ container }) => logs[container as Name]);
  return findCauses({ snapshot, components, unready, silent });
}

test('nothing wrong, no cause', async () => {
  expect(await find({})).toEqual([]);
});

describe('a fault that affects several components is one cause', () => {
  test('a data store that is down, with the components that wait for it', async () => {
    const causes = await find({
      broken: {
        postgres: crashed('postgres'),
        user: waiting('user'),
        board: waiting('board'),
        chat: waiting('chat'),
      },
      logs: {
        postgres: 'initdb: error: no such user\n',
        chat: 'postgres is down: connect ECONNREFUSED 10.96.0.182:5432',
      },
    });
    expect(causes).toEqual([
      expect.objectContaining({
        ...{ about: 'postgres', state: 'failed', line: 'crashed 4 times, exit code 3' },
        log: 'initdb: error: no such user',
        affects: ['postgres', 'user', 'board', 'chat'],
      }),
    ]);
  });

  test('a data store that is scaled to 0 replicas', async () => {
    const causes = await find({
      broken: { redis: { replicas: 0 }, board: waiting('board'), chat: waiting('chat') },
    });
    expect(causes).toMatchObject([
      {
        about: 'redis',
        line: 'scaled to 0 replicas',
        affects: ['redis', 'board', 'chat'],
        next: expect.stringContaining('scale deployment/redis --replicas=1'),
      },
    ]);
  });

  test('the same error in several logs about a component that is ready', async () => {
    const causes = await find({
      broken: { board: waiting('board'), chat: waiting('chat') },
      logs: { board: 'redis is down: WRONGPASS', chat: 'redis is down: WRONGPASS' },
    });
    expect(causes).toMatchObject([
      { about: 'redis', line: 'redis rejected the password', affects: ['board', 'chat'] },
    ]);
  });

  test('a Service without endpoints', async () => {
    const wrong = {
      ...makeComponent('redis', 6379)[4],
      spec: { selector: { 'app.kubernetes.io/name': 'redos' } },
    };
    const causes = await find({
      broken: { chat: waiting('chat') },
      logs: { chat: 'redis is down: connect ECONNREFUSED 10.96.0.129:6379' },
      without: ['service-redis', 'slice-redis'],
      objects: [wrong] as never,
    });
    expect(causes).toMatchObject([
      {
        line: 'Service redis has no endpoints: its selector matches no pod',
        evidence:
          'the selector is app.kubernetes.io/name=redos; pod redis-0 has app.kubernetes.io/name=redis',
        affects: ['redis', 'chat'],
      },
    ]);
  });

  test('a node that is not ready', async () => {
    const ill = makeNode();
    const conditions = [
      { type: 'Ready', status: 'Unknown', message: 'Kubelet stopped posting node status.' },
    ];
    const causes = await find({
      broken: { user: waiting('user'), board: crashed('board') },
      without: ['uid-node'],
      objects: [{ ...ill, status: { ...ill.status, conditions } }] as never,
    });
    expect(causes).toMatchObject(
      [
        {
          about: 'node node',
          line: 'node node is not ready',
          evidence: /stopped/,
          affects: ['user', 'board'],
        },
      ].map((each) => ({ ...each, evidence: expect.stringMatching(each.evidence) })),
    );
  });

  test('DNS', async () => {
    const dns = {
      kind: 'Deployment',
      metadata: { name: 'coredns', namespace: 'kube-system', uid: 'dns', creationTimestamp: '' },
    };
    const causes = await find({
      broken: { user: waiting('user'), chat: waiting('chat') },
      logs: {
        user: 'postgres is down: getaddrinfo EAI_AGAIN postgres',
        chat: 'redis is down: getaddrinfo EAI_AGAIN redis',
      },
      objects: [{ ...dns, spec: { replicas: 0 }, status: {} }] as never,
    });
    expect(causes).toMatchObject([
      {
        about: 'dns',
        line: 'DNS unavailable: coredns is scaled to 0 replicas',
        affects: ['user', 'chat'],
      },
    ]);
  });

  test('DNS whose requests are dropped: the lookups time out', async () => {
    const logs = {
      user: 'postgres is down: timeout after 2000 ms',
      chat: 'redis is down: timeout after 2000 ms',
    };
    const broken = { user: waiting('user'), chat: waiting('chat') };
    const dns = {
      kind: 'Deployment',
      metadata: { name: 'coredns', namespace: 'kube-system', uid: 'dns', creationTimestamp: '' },
      ...{ spec: { replicas: 0 }, status: {} },
    };
    expect(await find({ broken, logs, objects: [dns] as never })).toMatchObject([
      { about: 'dns', affects: ['user', 'chat'] },
    ]);
    expect(await find({ broken, logs })).toMatchObject([
      { about: 'postgres', line: 'postgres does not respond', affects: ['user'] },
      { about: 'redis', line: 'redis does not respond', affects: ['chat'] },
    ]);
  });

  test('paths that no Ingress routes', async () => {
    const causes = await find({ without: ['ingress'] });
    expect(causes).toMatchObject([
      {
        about: undefined,
        line: 'no Ingress route',
        affects: ['user', 'board', 'chat'],
        next: 'npm run up -- --repair',
      },
    ]);
  });
});

describe('separate faults are separate causes', () => {
  test('a crash of its own while a store is down', async () => {
    const causes = await find({
      broken: { redis: { replicas: 0 }, board: waiting('board'), chat: crashed('chat') },
      logs: { chat: 'Error: the moon is in the wrong phase\n' },
    });
    expect(causes).toMatchObject([
      { about: 'redis', affects: ['redis', 'board'] },
      {
        about: 'chat',
        line: 'crashed 4 times, exit code 3',
        log: 'Error: the moon is in the wrong phase',
        affects: ['chat'],
      },
    ]);
  });

  test('the cause that affects most comes first, then failed before waiting', async () => {
    const causes = await find({
      broken: {
        postgres: waiting('postgres'),
        user: waiting('user'),
        redis: crashed('redis'),
        chat: crashed('chat'),
      },
      logs: { user: 'postgres is down: no answer within 2000 ms', redis: 'bad config', chat: 'exploded' },
    });
    expect(causes.map(({ about, state }) => [about, state])).toEqual([
      ['postgres', 'waiting'],
      ['redis', 'failed'],
      ['chat', 'failed'],
    ]);
  });
});

test('a database that does not exist in a store that is ready', async () => {
  const causes = await find({
    broken: { board: waiting('board') },
    logs: { board: 'postgres is down: database "board" does not exist' },
  });
  expect(causes).toMatchObject([
    {
      about: 'postgres',
      line: 'database board does not exist in postgres',
      affects: ['board'],
      next: 'npm run up -- --repair',
    },
  ]);
});

test('a policy that denies a needed connection; not one that allows it', async () => {
  const policy = (name: string, from: object[]) => ({
    kind: 'NetworkPolicy',
    metadata: { name, namespace, uid: name, creationTimestamp: '' },
    spec: {
      podSelector: { matchLabels: { app: 'redis' } },
      policyTypes: ['Ingress'],
      ingress: from.length === 0 ? [] : [{ from }],
    },
  });
  const given = {
    broken: { chat: waiting('chat') },
    logs: { chat: 'redis is down: no answer within 2000 ms' },
  };
  expect(await find({ ...given, objects: [policy('closed', [])] as never })).toMatchObject([
    { about: 'redis', line: 'NetworkPolicy closed denies connections to redis', affects: ['chat'] },
  ]);
  const open = policy('open', [{ podSelector: { matchLabels: { app: 'chat' } } }]);
  expect(await find({ ...given, objects: [policy('closed', []), open] as never })).toMatchObject([
    { about: 'redis', line: 'redis does not respond', evidence: 'redis is down: no answer within 2000 ms' },
  ]);
});

test.each([
  [
    'http://10.0.0.1:9999/health/ready": dial tcp 10.0.0.1:9999: connect: connection refused',
    9999,
    /^readiness probe failed: connection refused on port 9999; container ports: 8001 \(http\)$/,
  ],
  [
    'HTTP probe failed with statuscode: 404',
    'http',
    /^readiness probe failed: HTTP 404 from \/nope on port 8001$/,
  ],
  ['', 'web', /^readiness probe failed: the container has no port named web$/],
])('a probe with a wrong port or path: %s', async (failure, port, line) => {
  const chat = makeComponent('chat', 8001, waiting('chat', 30));
  const readinessProbe = { httpGet: { path: '/nope', port } };
  const objects = chat.map((object) =>
    object.kind === 'Pod' && 'spec' in object
      ? {
          ...object,
          spec: {
            ...object.spec,
            containers: [{ ...(object.spec as { containers: object[] }).containers[0], readinessProbe }],
          },
        }
      : object,
  );
  const event = makeEvent('chat-0', { reason: 'Unhealthy', message: `Readiness probe failed: ${failure}` });
  const causes = await find({ absent: ['chat'], objects: [...objects, event] as never });
  expect(causes).toMatchObject([
    {
      about: 'chat',
      state: 'failed',
      line: expect.stringMatching(line),
      next: expect.stringContaining('services.chat.probes.readiness'),
    },
  ]);
});

test('a component that is not deployed waits for its needs, else it is a cause of its own', async () => {
  expect(
    await find({ absent: ['board', 'chat'], broken: { user: crashed('user') }, logs: { user: 'boom' } }),
  ).toMatchObject([{ about: 'user', affects: ['user', 'board', 'chat'] }]);
  expect(await find({ absent: ['board', 'chat'] })).toMatchObject([
    { about: undefined, line: 'not deployed', affects: ['board', 'chat'], next: 'npm run up' },
  ]);
});

test('a ready component that does not respond is reported with its address, unless the cause is known', async () => {
  const silent = [
    {
      component: components[3] as Component,
      url: 'http://localhost/svc/board/health/ready',
      state: 'responded with 502',
    },
  ];
  expect(await find({ silent })).toMatchObject([
    {
      about: 'ingress',
      line: 'http://localhost/svc/board/health/ready responded with 502',
      affects: ['board'],
    },
  ]);
  expect(await find({ silent, without: ['ingress'] })).toMatchObject([{ line: 'no Ingress route' }]);
});

test('a migration that failed in one service is its own fault, with the command that lists the snapshots', async () => {
  const dirty = 'error: Dirty database version 3. Fix and force version.';
  expect(
    await find({
      broken: { board: crashed('board'), chat: crashed('chat') },
      logs: { board: dirty, chat: dirty },
    }),
  ).toMatchObject(
    ['board', 'chat'].map((about) => ({
      ...{ about, affects: [about], line: 'migration to version 3 failed in the middle' },
      next: 'npm run db -- --list',
    })),
  );
});
