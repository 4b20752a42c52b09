import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WhyReport } from '../../src/commands/context/why/why-report.ts';
import { command } from '../../src/commands/why.ts';
import { secretKeys } from '../../src/lib/secret-rules.ts';
import { startApiServer } from '../fakes/api-server.ts';
import { makeApp } from '../fakes/app.ts';
import { makeClusterFolder } from '../fakes/cluster-folder.ts';
import { makeStatus } from '../fakes/cluster-objects.ts';
import { dockerRoutes, startEngine } from '../fakes/engine.ts';
import { makeComponent, makeIngress, node } from '../fakes/platform.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const controller = makeComponent('traefik', 80).map((object) => ({
  ...object,
  metadata: {
    ...object.metadata,
    namespace: 'ingress-nginx',
    labels: { 'app.kubernetes.io/instance': 'ingress-traefik' },
  },
}));
const toStatefulSet = (objects: ReturnType<typeof makeComponent>) =>
  objects.map((object) => {
    if (object.kind === 'Deployment' && 'status' in object)
      return { ...object, kind: 'StatefulSet', status: { ...object.status, updateRevision: 'r' } };
    if (object.kind !== 'Pod') return object;
    const labels = { ...object.metadata.labels, 'controller-revision-hash': 'r' };
    return { ...object, metadata: { ...object.metadata, labels, ownerReferences: [{ uid: 'uid-redis' }] } };
  });
const ingress = makeIngress(['/svc/auth', 'auth-service', 8080], ['/', 'frontend', 80]);
const whole = [
  ...[node, ingress, ...controller],
  ...toStatefulSet(makeComponent('redis', 6379)),
  ...makeComponent('auth-service', 8080),
  ...makeComponent('frontend', 80),
];

async function startIngress(status: (path: string) => number): Promise<number> {
  const server = createServer((request, response) => response.writeHead(status(request.url ?? '/')).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

interface Given {
  readonly objects?: readonly object[];
  readonly service?: string;
  readonly json?: boolean;
  readonly logs?: Readonly<Record<string, string>>;
  readonly answers?: (path: string) => number;
  /** The passwords of the cluster. */
  readonly passwords?: Readonly<Record<string, string>>;
}

async function why(given: Given = {}) {
  const { objects = whole, service, json = false, logs = {}, answers = () => 200, passwords } = given;
  const httpPort = await startIngress(answers);
  const api = await startApiServer();
  api.setObjects(objects);
  const state = await makeClusterFolder({ httpPort, server: api.url });
  for (const [name, text] of Object.entries(logs)) await writeFile(join(state, 'logs', name), text);
  if (passwords) {
    await mkdir(join(state, 'data/wealist'), { recursive: true });
    const text = JSON.stringify({ shared: { secrets: passwords } });
    await writeFile(join(state, 'data/wealist/secrets.yaml'), text);
  }
  const { app, stdout } = makeApp({ state, json });
  const exitCode = await command.run(app, { service });
  return { exitCode, stdout: stdout(), origin: `http://localhost:${httpPort}` };
}

test('everything ready: one line, exit code 0', async () => {
  const { stdout, exitCode, origin } = await why();
  expect(stdout).toBe(`✔ all 2 services and their dependencies are ready, and respond at ${origin}/\n`);
  expect(exitCode).toBe(0);
});

const crashing = {
  status: {
    containerStatuses: makeStatus({
      ...{ name: 'redis', restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } } },
      lastState: { terminated: { exitCode: 1, startedAt: '2026-11-23T11:59:00Z' } },
    }),
  },
};
const starting = {
  status: {
    containerStatuses: makeStatus({
      name: 'auth-service',
      started: true,
      state: { running: { startedAt: '2026-11-23T11:00:00Z' } },
    }),
  },
};
const broken = [
  ...[node, ingress, ...controller],
  ...toStatefulSet(makeComponent('redis', 6379, crashing)),
  ...makeComponent('auth-service', 8080, starting),
  ...makeComponent('frontend', 80),
];
const logs = {
  'redis-0.redis.previous': 'Fatal error: bad directive\n',
  'auth-service-0.auth-service': '{"message":"redis is down: connect ECONNREFUSED 10.96.0.129:6379"}\n',
};

test('a cause with its log, the affected components and the next command; exit code 8', async () => {
  const { stdout, exitCode } = await why({ objects: broken, logs });
  expect(stdout).toBe(
    [
      '✗ redis: crashed 3 times, exit code 1',
      '  log      Fatal error: bad directive',
      '  affects  auth-service',
      '  next     npm run logs -- redis --previous',
      '',
    ].join('\n'),
  );
  expect(exitCode).toBe(8);
});

test('the --json output matches its schema', async () => {
  const { stdout, exitCode } = await why({ objects: broken, logs, json: true });
  expect(WhyReport.parse(JSON.parse(stdout))).toMatchObject({
    cluster: { state: 'running' },
    causes: [{ about: 'redis', affects: ['redis', 'auth-service'] }],
    line: '1 cause',
    next: 'npm run logs -- redis --previous',
  });
  expect(exitCode).toBe(8);
});

test('a password in a log is replaced', async () => {
  const passwords = Object.fromEntries(secretKeys.map((key) => [key, `4e07408562bedb8b-${key}`]));
  const log = `cannot log in with ${passwords.DB_PASSWORD}\n`;
  const { stdout } = await why({
    ...{ objects: broken, logs: { ...logs, 'redis-0.redis.previous': log } },
    passwords,
  });
  expect(stdout).toContain('cannot log in with ***\n');
});

test('for one service: only the causes that affect it', async () => {
  expect(await why({ objects: broken, logs, service: 'auth-service' })).toMatchObject({
    stdout: expect.stringMatching(/^✗ redis: crashed/),
    exitCode: 8,
  });
  expect(await why({ objects: broken, logs, service: 'frontend' })).toMatchObject({
    stdout: '✔ frontend is ready and responds\n',
    exitCode: 0,
  });
});

test('an unknown service is refused with the nearest name', async () => {
  await expect(why({ service: 'auth-servce' })).rejects.toMatchObject({
    message: '"auth-servce" is not a service, nearest is auth-service',
    exitCode: 2,
  });
});

test('a component that is ready but does not respond through the ingress', async () => {
  const { stdout, exitCode, origin } = await why({
    answers: (path) => (path.startsWith('/svc/auth') ? 502 : 200),
  });
  expect(stdout).toBe(
    [
      `✗ ${origin}/svc/auth/health/ready responded with 502`,
      '  affects  auth-service',
      '  next     npm run logs -- auth-service',
      '',
    ].join('\n'),
  );
  expect(exitCode).toBe(8);
});

test('without a cluster: no cause, and the command that creates one', async () => {
  const before = process.env.DOCKER_HOST;
  process.env.DOCKER_HOST = `unix://${await startEngine({ ...dockerRoutes, 'GET /containers/json': [] })}`;
  onTestFinished(() => {
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
  });
  const { app, stdout } = makeApp({ state: await makeTemporaryFolder() });
  const exitCode = await command.run(app, {});
  expect({ exitCode, stdout: stdout() }).toEqual({
    exitCode: 0,
    stdout: '↓ cluster wealist does not exist\n  next     npm run up\n',
  });
});
