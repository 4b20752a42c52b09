import type { DashboardState, PartView, RunView } from '../../src/dashboard/dashboard-state.ts';

/** Time of all recorded states. */
export const recordedAt = '2026-11-30T09:03:04.000Z';
const start = Date.parse(recordedAt);
const before = (milliseconds: number) => new Date(start - milliseconds).toISOString();

function toPart(name: string, more: Partial<PartView> = {}): PartView {
  const route = name.replace(/-service$/, '');
  return {
    name,
    kind: 'service',
    state: 'ready',
    line: 'ready',
    ready: 1,
    wanted: 1,
    restarts: 0,
    created: before(18 * 60_000),
    image: `wealist.local/${name}:4f1c0de9a71b`,
    freshness: { state: 'fresh', line: 'runs 4f1c0de9a71b, its current source' },
    needs: ['postgres', 'redis'],
    unmet: [],
    address: `http://localhost:8080/svc/${route}/`,
    pods: [
      {
        name: `${name}-6d5f7c9b8-x2v4q`,
        node: 'wealist-control-plane',
        state: 'running',
        ready: true,
        restarts: 0,
        created: before(18 * 60_000),
      },
    ],
    ...more,
  };
}

function toStore(name: string, more: Partial<PartView> = {}): PartView {
  const { freshness: _, ...part } = toPart(name, {
    kind: 'infrastructure',
    needs: [],
    image: `docker.io/library/${name}:17.4`,
    address: `npm run forward -- ${name}`,
    ...more,
  });
  return part;
}

const list: readonly PartView[] = [
  toPart('auth-service'),
  toPart('user-service', { needs: ['auth-service', 'postgres', 'redis'] }),
  toPart('board-service', { needs: ['user-service', 'auth-service', 'postgres', 's3'] }),
  toPart('chat-service', { needs: ['user-service', 'redis', 'postgres'] }),
  toPart('noti-service', { needs: ['user-service', 'redis'] }),
  toPart('storage-service', { needs: ['user-service', 'postgres', 's3'] }),
  toPart('video-service', { needs: ['user-service', 'postgres'] }),
  toPart('frontend', { needs: [], address: 'http://localhost:8080/' }),
  toStore('postgres'),
  toStore('redis'),
  toStore('s3'),
  toStore('traefik', { kind: 'ingress', image: 'wealist.local/traefik:3.5.1' }),
];

export const toParts = (parts: readonly PartView[]) =>
  Object.fromEntries(parts.map((part) => [part.name, part]));

function toRun(at: number, service: string, milliseconds: number, more: Partial<RunView> = {}): RunView {
  const build = Math.round(milliseconds * 0.1);
  const load = Math.round(milliseconds * 0.08);
  return {
    id: `${before(at)} ${service}`,
    command: `npm run reload ${service}`,
    services: [service],
    start: before(at),
    milliseconds,
    exitCode: 0,
    phases: [
      { name: 'build', milliseconds: build },
      { name: 'load', milliseconds: load },
      { name: 'rollout', milliseconds: milliseconds - build - load - 120 },
    ],
    steps: [{ stage: 'Reload', step: service, milliseconds, state: 'done' }],
    ...more,
  };
}

const runs: readonly RunView[] = [
  toRun(22 * 60_000, 'board-service', 48_200, {
    command: 'npm run up',
    services: [],
    phases: [
      { name: 'Tools and images', milliseconds: 2_400 },
      { name: 'Cluster and services', milliseconds: 19_800 },
      { name: 'Ingress and infrastructure', milliseconds: 11_300 },
      { name: 'Services', milliseconds: 13_900 },
    ],
    steps: [],
  }),
  toRun(12 * 60_000, 'board-service', 2_410),
  toRun(9 * 60_000, 'board-service', 2_730),
  toRun(6 * 60_000, 'auth-service', 2_240),
  toRun(3 * 60_000, 'board-service', 2_590, { trigger: 'save of services/board-service/main.ts' }),
];

const toRuns = (each: readonly RunView[]) => Object.fromEntries(each.map((run) => [run.id, run]));

/** Everything ready and fresh. */
export const ready: DashboardState = {
  environment: { name: 'local-kind', namespace: 'wealist-kind-local', readOnly: false },
  cluster: { name: 'wealist', state: 'running', asOf: recordedAt },
  ingress: { url: 'http://localhost:8080/', answers: true, status: 200 },
  parts: toParts(list),
  causes: {
    at: recordedAt,
    line: 'all 8 services and their dependencies are ready, and respond at http://localhost:8080/',
    list: [],
  },
  runs: toRuns(runs),
  interrupted: [],
  tasks: {},
  forwards: {},
  forwardTargets: { 'auth-service': 18080, 'board-service': 18082, postgres: 15432, redis: 16379, s3: 19000 },
  usage: {},
};

const crash = [
  '{"time":"2026-11-30T09:02:41.616Z","level":"info","service":"board-service","message":"listening on 8000"}',
  '{"time":"2026-11-30T09:02:41.902Z","level":"error","service":"board-service","message":"게시판을 열 수 없습니다: ECONNREFUSED redis:6379"}',
].join('\n');

/** Redis is scaled to 0: one cause, four services wait for it, and one of them is stale, too. */
export const broken: DashboardState = {
  ...ready,
  lock: { command: 'npm run reload board-service', pid: 28_498, since: before(4_100) },
  parts: toParts(
    list.map((part): PartView => {
      if (part.name === 'redis') {
        return {
          ...part,
          state: 'failed',
          ready: 0,
          wanted: 0,
          line: 'scaled to 0 replicas',
          next: 'npm run up',
          pods: [],
        };
      }
      if (['auth-service', 'user-service', 'chat-service', 'noti-service'].includes(part.name)) {
        return {
          ...part,
          state: 'waiting',
          ready: 0,
          line: 'its readiness probe fails: HTTP 503',
          unmet: part.needs.filter((need) => ['redis', 'auth-service', 'user-service'].includes(need)),
          pods: part.pods.map((pod) => ({ ...pod, ready: false, state: 'not ready' })),
        };
      }
      if (part.name === 'board-service') {
        return {
          ...part,
          state: 'failed',
          ready: 0,
          restarts: 2,
          line: 'crashed 2 times, exit code 1',
          next: 'npm run logs -- board-service --previous',
          freshness: {
            state: 'stale',
            broken: 'running',
            line: 'runs 4f1c0de9a71b, but its current source is 9be0a3d517cc',
          },
          unmet: ['redis', 'user-service', 'auth-service'],
        };
      }
      return part.name === 'video-service'
        ? {
            ...part,
            freshness: { state: 'stale', broken: 'built', line: 'its current source has not been built' },
          }
        : part;
    }),
  ),
  causes: {
    at: recordedAt,
    line: '2 causes',
    list: [
      {
        about: 'redis',
        state: 'failed',
        line: 'scaled to 0 replicas',
        next: 'npm run up',
        affects: ['redis', 'auth-service', 'user-service', 'chat-service', 'noti-service'],
      },
      {
        about: 'board-service',
        state: 'failed',
        line: 'crashed 2 times, exit code 1',
        evidence: '게시판을 열 수 없습니다: ECONNREFUSED redis:6379',
        log: crash,
        next: 'npm run reload board-service',
        affects: ['board-service'],
      },
    ],
  },
  runs: toRuns([
    ...runs,
    toRun(90_000, 'board-service', 31_400, {
      exitCode: 8,
      phases: [
        { name: 'build', milliseconds: 260 },
        { name: 'load', milliseconds: 210 },
        { name: 'rollout', milliseconds: 30_800 },
      ],
    }),
    toRun(40_000, 'video-service', 900, {
      interrupted: true,
      phases: [{ name: 'build', milliseconds: 700 }],
      steps: [{ stage: 'Reload', step: 'video-service', state: 'interrupted' }],
    }),
  ]),
  interrupted: ['video-service'],
  forwards: {
    redis: { name: 'redis', port: 16_379, usage: 'redis-cli -p 16379', held: 3, why: 'scaled to 0 replicas' },
    postgres: { name: 'postgres', port: 15_432, usage: 'psql -h 127.0.0.1 -p 15432 -U wealist', held: 0 },
  },
  usage: {
    'auth-service': {
      samples: Array.from({ length: 30 }, (_, at) => ({
        at: start - (30 - at) * 120_000,
        bytes: (60 + 12 * Math.sin(at / 3) + at) * 1024 * 1024,
        millicores: 8 + (at % 7),
      })),
    },
  },
};

const gone = (state: 'missing' | 'stopped', evidence?: string): DashboardState => ({
  ...ready,
  cluster: {
    name: 'wealist',
    state,
    next: 'npm run up',
    ...(evidence === undefined ? {} : { evidence }),
  },
  parts: toParts(
    list
      .filter(({ kind }) => kind === 'service')
      .map(({ name, kind, needs }) => ({
        ...{
          name,
          kind,
          needs,
          state: 'unknown',
          line: '',
          ready: 0,
          wanted: 0,
          restarts: 0,
          unmet: [],
          pods: [],
        },
      })),
  ),
  causes: { list: [] },
});

const { ingress: _, ...withoutIngress } = gone('missing');

/** No `up` yet. */
export const missing: DashboardState = { ...withoutIngress, runs: {} };

export const stopped = gone('stopped');

/** The API server does not respond: the last picture. */
export const silent: DashboardState = {
  ...broken,
  cluster: {
    name: 'wealist',
    state: 'silent',
    evidence: 'no response in 5 s',
    asOf: recordedAt,
    next: 'npm run up',
  },
};

/** The cluster has not responded yet: rows from the configuration. */
export const loading: DashboardState = { ...missing, cluster: { name: 'wealist', state: 'loading' } };

export const remote: DashboardState = {
  ...ready,
  environment: { name: 'dev', namespace: 'wealist-dev', readOnly: true },
  cluster: {
    name: 'arn:aws:eks:ap-northeast-2:123456789012:cluster/wealist-dev',
    state: 'running',
    asOf: recordedAt,
  },
};

/** Forty services, some of them with problems, one with a name in Korean letters. */
export const forty: DashboardState = {
  ...ready,
  parts: toParts([
    ...Array.from({ length: 40 }, (_, at): PartView => {
      const name = at === 7 ? '알림-서비스' : `service-${String(at + 1).padStart(2, '0')}`;
      const part = toPart(name);
      if (at % 13 === 5)
        return { ...part, state: 'failed', ready: 0, line: 'crashed 4 times, exit code 137', restarts: 4 };
      return at % 9 === 4
        ? { ...part, state: 'waiting', ready: 0, line: 'pulling its image', unmet: ['postgres'] }
        : part;
    }),
    ...list.filter(({ kind }) => kind !== 'service'),
  ]),
};

export const recordedStates = { ready, broken, missing, stopped, silent, loading, remote, forty };
