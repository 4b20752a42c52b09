import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { StatusReport } from '../../src/commands/context/status/status-report.ts';
import { command } from '../../src/commands/status.ts';
import { ownerOnNode } from '../../src/config/kind-cluster.ts';
import { startApiServer } from '../fakes/api-server.ts';
import { environment, makeApp } from '../fakes/app.ts';
import { makeClusterFolder } from '../fakes/cluster-folder.ts';
import { makeDeployment, makeNode, makePod, makeStatus, ready } from '../fakes/cluster-objects.ts';
import { dockerRoutes, startEngine } from '../fakes/engine.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

/** An ingress that responds with this HTTP status. */
async function startIngress(status: number): Promise<number> {
  const server = createServer((_, response) => response.writeHead(status).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const done = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };

const authImage = 'wealist.local/auth-service:0123456789ab';
const auth = [
  ...makeDeployment('auth-service', { status: done }),
  makePod('auth-service-1', 'auth-service-2', {
    conditions: ready,
    spec: { containers: [{ name: 'auth-service', image: authImage }] },
    containerStatuses: makeStatus({ ready: true, restartCount: 2, imageID: 'docker.io/x@sha256:ab12' }),
  }),
];
const redis = [
  {
    ...makeDeployment('redis', { status: { ...done } })[0],
    kind: 'StatefulSet',
  },
  makePod('redis-0', 'redis', { conditions: ready }),
];
const frontend = [
  ...makeDeployment('frontend', { status: { replicas: 1, updatedReplicas: 1 } }),
  makePod('frontend-1', 'frontend-2', {
    containerStatuses: makeStatus({
      state: { waiting: { reason: 'ErrImageNeverPull', message: 'not present' } },
    }),
  }),
];
const controller = makeDeployment('traefik', { status: done }).map((object) => ({
  ...object,
  metadata: {
    ...object.metadata,
    namespace: 'ingress-nginx',
    labels: { 'app.kubernetes.io/instance': 'ingress-traefik' },
  },
}));

async function runStatus(
  objects: readonly object[],
  { answers = 200, json = false, input = {}, record = {} } = {},
) {
  const httpPort = await startIngress(answers);
  const api = await startApiServer();
  api.setObjects([makeNode(), ...objects]);
  const state = await makeClusterFolder({ httpPort, server: api.url, record });
  const { app, stdout } = makeApp({ state, json });
  const exitCode = await command.run(app, input);
  return { stdout: stdout(), exitCode, origin: `http://localhost:${httpPort}` };
}

test('a line per component: image, restarts, and address or why it is not ready', async () => {
  const { stdout, exitCode, origin } = await runStatus([...controller, ...redis, ...auth, ...frontend]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^✔ cluster wealist is running {2}environment local-kind/);
  expect(stdout).toContain(`✔ ingress ${origin}/ responds with 200`);
  const line = (name: string) => stdout.split('\n').find((each) => each.includes(` ${name} `));
  expect(line('auth-service')).toMatch(
    new RegExp(`✔ auth-service +1/1 +0123456789ab +2 restarts +\\d+ \\w+ +${origin}/svc/auth/$`),
  );
  expect(line('redis')).toMatch(/✔ redis +1\/1 .* npm run forward -- redis$/);
  expect(line('frontend')).toMatch(/✗ frontend +0\/1 .*image wealist\.local\/main:1 not found on the node/);
  expect(stdout).toMatch(/next {2}npm run images\n$/);
  expect(stdout).not.toContain('postgres');
});

test('shows what a service lacks according to its chart', async () => {
  const note = 'video calls are off: infrastructure.livekit.host names no server';
  const noted = auth.map((object) =>
    object.kind === 'Deployment'
      ? { ...object, metadata: { ...object.metadata, annotations: { 'wealist.local/note': note } } }
      : object,
  );
  const { stdout, origin } = await runStatus([...controller, ...noted]);
  expect(stdout).toContain(`${origin}/svc/auth/  ${note}\n`);
  const { stdout: json } = await runStatus([...controller, ...noted], { json: true });
  const parts = StatusReport.parse(JSON.parse(json)).parts;
  expect(parts.find(({ name }) => name === 'auth-service')).toMatchObject({ state: 'ready', note });
});

test('the --json output matches its schema', async () => {
  const { stdout } = await runStatus([...controller, ...redis, ...auth, ...frontend], { json: true });
  const report = StatusReport.parse(JSON.parse(stdout));
  expect(report).toMatchObject({
    version: 1,
    environment: environment.name,
    ready: false,
    ingress: { answers: true, status: 200 },
  });
  expect(report.parts.map(({ name, kind, state }) => [name, kind, state])).toEqual([
    ['traefik', 'ingress', 'ready'],
    ['redis', 'infrastructure', 'ready'],
    ['auth-service', 'service', 'ready'],
    ['frontend', 'service', 'failed'],
  ]);
  expect(report.parts[2]).toMatchObject({ image: authImage, imageId: 'sha256:ab12', restarts: 2 });
});

test('a component names its needs, and which of them are not ready', async () => {
  const { stdout } = await runStatus([...controller, ...redis, ...frontend], { json: true });
  const { parts } = StatusReport.parse(JSON.parse(stdout));
  const needs = parts.map(({ name, needs, unmetNeeds }) => [name, needs, unmetNeeds]);
  expect(needs).toEqual([
    ['traefik', [], []],
    ['redis', [], []],
    ['auth-service', ['redis'], []],
    ['frontend', ['redis', 'auth-service'], ['auth-service']],
  ]);
});

test('an extra is listed with its components, their addresses and missing optional images', async () => {
  const record = { extras: ['monitoring'], lacking: ['grafana'] };
  const absent = await runStatus([...controller], { record });
  expect(absent.stdout).toContain('✔ with monitoring without grafana, which can only be pulled');
  expect(absent.stdout).toMatch(/ wealist-monitoring +not deployed/);
  const prometheus = makeDeployment('prometheus', { status: done }).map((object) => ({
    ...object,
    metadata: {
      ...object.metadata,
      namespace: 'monitoring',
      labels: { 'app.kubernetes.io/instance': 'wealist-monitoring' },
    },
  }));
  const { stdout, origin } = await runStatus([...controller, ...prometheus], { record, json: true });
  const { extras, parts } = StatusReport.parse(JSON.parse(stdout));
  expect(extras).toEqual([{ name: 'monitoring', lacking: ['grafana'] }]);
  expect(parts.filter(({ kind }) => kind === 'extra')).toEqual([
    expect.objectContaining({ name: 'prometheus', address: `${origin.replace('//', '//prometheus.')}/` }),
  ]);
});

test('the schema is printed on demand', async () => {
  const { stdout } = await runStatus([], { json: true, input: { schema: true } });
  expect(JSON.parse(stdout)).toMatchObject({ properties: { version: { const: 1 } } });
});

test('--exit-code reports the state to scripts', async () => {
  const frontendReady = [
    ...makeDeployment('frontend', { status: done }),
    makePod('frontend-1', 'frontend-2', { conditions: ready }),
  ];
  const all = [...controller, ...redis, ...auth, ...frontendReady];
  const input = { exitCode: true };
  expect(await runStatus(all, { input })).toMatchObject({ exitCode: 0 });
  expect(await runStatus(all, { input, answers: 503 })).toMatchObject({ exitCode: 11 });
  expect(await runStatus([...controller, ...redis, ...auth], { input })).toMatchObject({ exitCode: 11 });
});

test('--watch refreshes until Ctrl-C, and prints changes', async () => {
  const httpPort = await startIngress(200);
  const api = await startApiServer();
  const state = await makeClusterFolder({ httpPort, server: api.url });
  api.setObjects([makeNode(), ...controller, ...redis]);
  const stop = new AbortController();
  const { app, stdout } = makeApp({ state, json: true, signal: stop.signal });
  const watching = command.run(app, { watch: true });
  const states = () =>
    stdout()
      .split('\n')
      .filter(Boolean)
      .map(
        (line) =>
          StatusReport.parse(JSON.parse(line)).parts.find(({ name }) => name === 'auth-service')?.state,
      );
  await vi.waitFor(() => expect(states()).toEqual(['absent']), { timeout: 10_000 });
  api.setObjects([makeNode(), ...controller, ...redis, ...auth]);
  await vi.waitFor(() => expect(states()).toEqual(['absent', 'ready']), { timeout: 10_000 });
  stop.abort();
  await expect(watching).rejects.toThrow('aborted');
});

test('shows what is not deployed, and the command that deploys it', async () => {
  const { stdout, exitCode } = await runStatus([]);
  expect(exitCode).toBe(0);
  for (const name of ['traefik', 'redis', 'auth-service', 'frontend']) {
    expect(stdout).toMatch(new RegExp(`✗ ${name} +not deployed`));
  }
  expect(stdout).toMatch(/next {2}npm run up\n$/);
});

test('a Job is shown only until it is complete', async () => {
  const job = (type: string) => ({
    kind: 'Job',
    metadata: {
      ...makeDeployment('bootstrap')[0].metadata,
      labels: { 'app.kubernetes.io/instance': 'wealist-infrastructure' },
    },
    spec: {},
    status: { succeeded: 1, conditions: [{ type, status: 'True' }] },
  });
  expect((await runStatus([job('Complete')])).stdout).not.toContain('bootstrap');
  expect((await runStatus([job('Failed')])).stdout).toMatch(/✗ bootstrap .* failed\n/);
});

/** An engine at DOCKER_HOST with the cluster's nodes in these states, created by the checkouts with these IDs. */
async function useEngine(...nodes: readonly (readonly [state: string, checkoutId: string])[]): Promise<void> {
  const Labels = { 'io.x-k8s.kind.cluster': 'wealist' };
  const names = nodes.map((_, at) => `/wealist-${at === 0 ? 'control-plane' : 'worker'}`);
  const details = nodes.map(([Status, checkoutId], at) => ({
    ...{ Id: `id-${at}`, Name: names[at], Image: 'sha256:1' },
    State: { Status, ExitCode: 0 },
    Config: { Image: 'node', Labels },
    HostConfig: {},
    NetworkSettings: {},
    Mounts: [{ Source: `/data/owners/${checkoutId}`, Destination: ownerOnNode }],
  }));
  const routes = {
    ...dockerRoutes,
    'GET /containers/json': nodes.map(([State], at) => ({
      Id: `id-${at}`,
      Names: [names[at]],
      State,
      Labels,
    })),
    ...Object.fromEntries(details.map((node) => [`GET /containers/${node.Id}/json`, node])),
  };
  const before = process.env.DOCKER_HOST;
  process.env.DOCKER_HOST = `unix://${await startEngine(routes)}`;
  onTestFinished(() => {
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
  });
}

const ours = '0123456789abcdef';
const theirs = 'fedcba9876543210';

test.each([
  ['exited', ours, /^✗ cluster wealist is stopped/],
  ['paused', ours, /^✗ cluster wealist is paused/],
  [
    'running',
    ours,
    /^✗ cluster wealist does not respond .*\n {2}because {2}connect ECONNREFUSED 127\.0\.0\.1:1\n/,
  ],
  ['running', theirs, /^✗ cluster wealist does not exist .*\n .* belongs to another checkout\n/],
])('a cluster that does not respond, with a node %s, created by %s', async (status, owner, says) => {
  const state = await makeClusterFolder();
  await writeFile(join(state, 'id'), ours);
  await useEngine([status, owner]);
  const { app, stdout } = makeApp({ state });
  expect(await command.run(app, {})).toBe(0);
  expect(stdout()).toMatch(says);
  expect(stdout()).toMatch(/next {2}npm run up\n$/);
});

test.each([
  ['one of them stopped', ['running', ours], ['exited', ours], /^✗ cluster wealist is stopped/],
  [
    'one of them made by another checkout',
    ['running', ours],
    ['running', theirs],
    /belongs to another checkout\n/,
  ],
] as const)('no answer from a cluster of two nodes, %s', async (_, first, second, says) => {
  const state = await makeClusterFolder();
  await writeFile(join(state, 'down'), '');
  await writeFile(join(state, 'id'), ours);
  await useEngine(first, second);
  const { app, stdout } = makeApp({ state });
  expect(await command.run(app, {})).toBe(0);
  expect(stdout()).toMatch(says);
});

test('with an engine that does not run: nothing is said about the cluster', async () => {
  const state = await makeTemporaryFolder();
  vi.stubEnv('DOCKER_HOST', `unix://${join(state, 'docker.sock')}`);
  const { app, stdout } = makeApp({ state, json: true });
  expect(await command.run(app, {})).toBe(0);
  expect(StatusReport.parse(JSON.parse(stdout()))).toMatchObject({
    cluster: { state: 'unknown', evidence: expect.stringMatching(/is not running$/) },
    next: 'npm run doctor',
  });
});

test('without any cluster', async () => {
  await useEngine();
  const { app, stdout } = makeApp({ state: await makeTemporaryFolder(), json: true });
  expect(await command.run(app, {})).toBe(0);
  expect(StatusReport.parse(JSON.parse(stdout()))).toMatchObject({
    ready: false,
    cluster: { state: 'missing' },
    parts: [],
    next: 'npm run up',
  });
});
