import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { App } from '../../src/cli/command.ts';
import { trustCluster } from '../../src/commands/env/trust.ts';
import { command as env } from '../../src/commands/env.ts';
import { command as logs } from '../../src/commands/logs.ts';
import { command as status } from '../../src/commands/status.ts';
import { command as why } from '../../src/commands/why.ts';
import { listEnvironments } from '../../src/config/layers.ts';
import { Failure } from '../../src/lib/failure.ts';
import { findChosenEnvironment } from '../../src/state/chosen-environment.ts';
import type { Confirmation } from '../../src/ui/prompt.ts';
import { environment, makeApp } from '../fakes/app.ts';
import { makeDeployment, makePod, ready } from '../fakes/cluster-objects.ts';
import { dev, makeRemote } from '../fakes/remote-cluster.ts';

const here = (name: string) => (object: { readonly metadata: object }) => ({
  ...object,
  metadata: { ...object.metadata, namespace: name },
});
const done = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
const objects = [
  ...makeDeployment('auth-service', { status: done }),
  makePod('auth-service-1', 'auth-service-2', { conditions: ready }),
].map(here('wealist-dev'));

/** An app whose environment `dev` is on the fake cluster, with tools installed; prompts are confirmed if `confirms`. */
async function start({ confirms = true, json = false } = {}) {
  const remote = await makeRemote(objects);
  const { app: common, ...screen } = makeApp({ state: remote.state, json });
  const asked: Confirmation[] = [];
  const app: App = {
    ...common,
    environment: async ({ name = 'dev' } = {}) => (name === 'dev' ? dev : { ...environment, name }),
    async exclusively(work) {
      return work();
    },
    runPlan: async () => ({ milliseconds: 0, steps: [] }),
    async confirm(question) {
      asked.push(question);
      if (!confirms) throw new Failure('not confirmed', { exitCode: 9 });
    },
  };
  const trust = (context?: string) => trustCluster(app, dev, { context, confirmed: true });
  return { ...remote, ...screen, app, asked, trust };
}

const calls = async (folder: string) => readFile(join(folder, 'calls'), 'utf8').catch(() => '');

test('before a cluster is trusted, no request is sent to it', async () => {
  const { app, remote } = await start();
  for (const run of [
    () => status.run(app, { env: 'dev' }),
    () => logs.run(app, { env: 'dev', services: [] }),
    () => why.run(app, { env: 'dev' }),
  ]) {
    await expect(run()).rejects.toMatchObject({
      message: 'no cluster is trusted for environment dev yet',
      hint: 'npm run env trust dev',
      exitCode: 9,
    });
  }
  expect(await calls(remote)).toBe('');
});

test('trust shows the fingerprint and records it; status uses a private copy of the kubeconfig', async () => {
  const { app, asked, trust, state, kubeconfig, remote, stdout } = await start({ json: true });
  const before = await readFile(kubeconfig, 'utf8');
  await trust();
  expect(asked[0]?.lines.join('\n')).toMatch(
    /my-dev\n.*https:\/\/dev\.example\n.*SHA-256 [0-9a-f]{64}\n.*UID uid-dev/,
  );
  await status.run(app, { env: 'dev' });
  expect(JSON.parse(stdout())).toMatchObject({
    environment: 'dev',
    namespace: 'wealist-dev',
    cluster: { name: 'my-dev', server: 'https://dev.example', state: 'running' },
    parts: [
      { name: 'auth-service', state: 'ready' },
      { name: 'frontend', state: 'absent' },
    ],
  });
  const copy = join(state, 'remote/dev.kubeconfig');
  expect((await stat(copy)).mode & 0o777).toBe(0o600);
  // Every request uses the copy and its only kube context; the user's own file is unchanged.
  for (const line of (await calls(remote)).trim().split('\n')) {
    const [file, context] = JSON.parse(line);
    expect(file).toMatch(/--kubeconfig=.*\/remote\/dev(\.candidate)?\.kubeconfig$/);
    expect(context).toBe('--context=my-dev');
  }
  expect(await readFile(kubeconfig, 'utf8')).toBe(before);
  expect(await stat(join(state, 'remote/dev.candidate.kubeconfig')).catch((error) => error.code)).toBe(
    'ENOENT',
  );
});

test('why reports what is missing, and suggests no command that would change something', async () => {
  const { app, trust, stdout } = await start({ json: true });
  await trust();
  expect(await why.run(app, { env: 'dev' })).toBe(8);
  const report = JSON.parse(stdout());
  expect(report).toMatchObject({ environment: 'dev', cluster: { name: 'my-dev', state: 'running' } });
  expect(report.causes).toMatchObject([
    {
      about: 'auth-service',
      line: 'Service auth-service does not exist',
      affects: ['auth-service', 'frontend'],
    },
  ]);
  expect(stdout()).not.toMatch(/npm run (up|kubectl|reload)/);
});

test('without confirmation nothing is trusted', async () => {
  const { trust, app } = await start({ confirms: false });
  await expect(trust()).rejects.toMatchObject({ exitCode: 9 });
  await expect(status.run(app, { env: 'dev' })).rejects.toMatchObject({ exitCode: 9 });
});

test('trusting the same cluster again does not prompt; another one is compared with the previous one', async () => {
  const { trust, asked, set } = await start();
  await trust();
  await trust();
  expect(asked).toHaveLength(1);
  await set({ uid: 'uid-other' });
  await trust();
  expect(asked[1]?.lines).toContain('UID of kube-system: uid-other, trusted: uid-dev');
});

test.each([
  [
    'renamed',
    { context: 'renamed' },
    'kube context my-dev of environment dev was not found in any kubeconfig',
    false,
  ],
  [
    'has another address',
    { server: 'https://prod.example' },
    'kube context my-dev points to another cluster than the trusted one of dev',
    false,
  ],
  [
    'has another cluster at the same address',
    { uid: 'uid-prod' },
    'kube context my-dev points to another cluster than the trusted one of dev',
    true,
  ],
  [
    'logs in by another program',
    { user: { exec: { apiVersion: 'v1', command: 'aws', args: ['other'] } } },
    'kube context my-dev points to another cluster than the trusted one of dev',
    false,
  ],
])('a kube context that %s is refused, reads included', async (_, change, message, isAsked) => {
  const { app, trust, set, remote } = await start();
  await trust();
  await set(change);
  await writeFile(join(remote, 'calls'), '');
  for (const run of [
    () => status.run(app, { env: 'dev' }),
    () => logs.run(app, { env: 'dev', services: [] }),
    () => why.run(app, { env: 'dev' }),
  ]) {
    await expect(run()).rejects.toMatchObject({ message, exitCode: 9 });
  }
  // At most its UID is requested.
  const asked = (await calls(remote)).split('\n').filter((line) => line !== '');
  expect(asked.every((line) => line.includes('"kube-system"'))).toBe(true);
  expect(asked.length > 0).toBe(isAsked);
});

test('a cluster that does not respond is reported, and no other is trusted', async () => {
  const { app, trust, remote } = await start();
  await trust();
  await writeFile(join(remote, 'down'), '');
  await expect(status.run(app, { env: 'dev' })).rejects.toMatchObject({
    message: 'the cluster of kube context my-dev does not respond',
    cause: 'The connection to the server 127.0.0.1:6443 was refused',
    exitCode: 5,
  });
});

test('list shows cluster, deployed services and allowed commands of each environment', async () => {
  const { app, trust, stdout } = await start({ json: true });
  await trust();
  await env.run(app, { action: 'use', name: 'dev' });
  await env.run(app, { action: 'list' });
  const [used = '', listed = ''] = stdout().trim().split('\n');
  expect(JSON.parse(used)).toEqual({ version: 1, environment: 'dev', allowed: 'reading' });
  const { environments } = JSON.parse(listed);
  expect(environments.map(({ name }: { name: string }) => name).toSorted()).toEqual(
    await listEnvironments(app.paths.checkout),
  );
  expect(environments.find(({ name }: { name: string }) => name === 'dev')).toEqual({
    name: 'dev',
    chosen: true,
    allowed: 'reading',
    namespace: 'wealist-dev',
    here: false,
    cluster: 'my-dev',
    state: 'answers',
    deployed: { services: 1, ready: 1 },
  });
});

test.each([
  [{ action: 'use' }, 'use requires an environment'],
  [{ action: 'trust' }, 'trust requires an environment'],
  [{ action: 'list', name: 'dev' }, 'list takes no environment'],
  [{ action: 'use', name: 'dev', context: 'x' }, '--context requires the action trust'],
  [{}, 'choosing an environment needs a terminal'],
  [
    { action: 'trust', name: 'local-kind' },
    'environment local-kind is on this machine: its cluster is created by up and needs no trust',
  ],
])('%j is refused, and the choice is unchanged', async (input, message) => {
  const { app, state } = await start();
  await expect(env.run(app, input)).rejects.toMatchObject({ message, exitCode: 2 });
  expect(await findChosenEnvironment({ state })).toBe('local-kind');
});

test('without a terminal, trust prints what it would record and sends no request', async () => {
  const { app, remote } = await start();
  await expect(env.run(app, { action: 'trust', name: 'dev' })).rejects.toMatchObject({
    cause: expect.stringContaining('https://dev.example'),
    hint: 'npm run env -- trust dev --yes',
    exitCode: 2,
  });
  expect(await calls(remote)).toBe('');
});
