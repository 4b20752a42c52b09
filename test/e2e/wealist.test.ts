import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { StatusReport } from '../../src/commands/context/status/status-report.ts';
import { docker, kubectl, listObjects, namespace } from './cluster.ts';
import { makeFixtureBases, removeFixtureBases } from './fixture-bases.ts';
import { request, requestJson } from './ingress.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const source = join(checkout.folder, 'wealist');
const settings = join(checkout.root, 'env/local.yaml');
/** Those in Go, whose build context is the whole source. */
const go = ['user', 'board', 'chat', 'noti', 'storage', 'video'];
let origin = '';

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
  await cp(resolve(import.meta.dirname, '../fixtures/wealist'), source, { recursive: true });
  await makeFixtureBases(checkout);
});

afterAll(async () => {
  await rm(settings, { force: true });
  await checkout.up();
  const built = await docker(
    'images',
    '--format={{.Repository}}:{{.Tag}}',
    '--filter=reference=wealist.local/*-service',
  );
  if (built.length > 0) await docker('image', 'rm', '--force', ...built);
  await removeFixtureBases(checkout);
});

/** Freshness by service. */
async function readFreshness(): Promise<Readonly<Record<string, string | undefined>>> {
  const { stdout } = await checkout.run('status', '--json');
  const { parts }: StatusReport = JSON.parse(stdout);
  const services = parts.filter(({ kind }) => kind === 'service');
  return Object.fromEntries(services.map(({ name, freshness }) => [name, freshness?.state]));
}

async function readLevel(): Promise<string | undefined> {
  const [found] = (await listObjects(checkout, 'namespaces')).filter(
    ({ metadata }) => metadata.name === namespace,
  );
  return found?.metadata.labels?.['pod-security.kubernetes.io/enforce'];
}

const titles = async () => (await requestJson<{ titles: string[] }>(`${origin}svc/board/api/boards`)).titles;
const texts = async () =>
  (await requestJson<{ rows: { text: string }[] }>(`${origin}svc/board/api/boards`)).rows.map(
    ({ text }) => text,
  );

async function expectOwnPrograms(): Promise<void> {
  for (const name of go) {
    expect(await request(`${origin}svc/${name}/health/ready`), name).toEqual({
      status: 200,
      body: 'ready\n',
    });
  }
  expect(await request(`${origin}svc/auth/actuator/health/readiness`)).toMatchObject({ status: 200 });
  expect(await request(origin)).toMatchObject({ body: expect.stringContaining('<title>weAlist</title>') });
  // The file of the chart, not that of the image.
  expect((await request(`${origin}config.js`)).body).toBe('window.__ENV__ = { API_BASE_URL: "" };\n');
  expect(Object.values(await readFreshness())).toEqual(Array.from({ length: 8 }, () => 'fresh'));
}

describe('weAlist’s own programs by one line, where stand-ins ran', () => {
  test('a stand-in of an earlier version had its tables in public', async () => {
    await requestJson(`${origin}svc/board/api/boards`, { text: 'of the stand-in' });
    const target = [`--namespace=${namespace}`, 'deployment/board-service'];
    await kubectl(checkout, 'scale', '--replicas=0', ...target);
    const move = 'ALTER TABLE stand_in.boards SET SCHEMA public; DROP SCHEMA stand_in';
    const { exitCode, stderr } = await checkout.run('db', 'board-service', '--', '--command', move);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    await rm(join(checkout.data, 'stand-in-schema'));
  });

  test('source: is all: each is ready, with its own probes, user, memory and files', async () => {
    await writeFile(settings, `source: ${JSON.stringify(source)}\n`);
    expect(await checkout.up()).toMatchObject({ changed: true });
    await expectOwnPrograms();
    expect(await readLevel()).toBe('baseline');
    expect(await titles()).toEqual([]);
    await requestJson(`${origin}svc/board/api/boards`, { title: 'of the own program' });
    expect(await checkout.up()).toMatchObject({ changed: false });
  });

  test('a service among them can stay a stand-in', async () => {
    await writeFile(
      settings,
      `source: ${JSON.stringify(source)}\nservices: { auth-service: { build: stand-in } }\n`,
    );
    await checkout.up('auth-service');
    expect(await request(`${origin}svc/auth/health/ready`)).toMatchObject({ status: 200 });
    await writeFile(settings, `source: ${JSON.stringify(source)}\n`);
    await checkout.up('auth-service');
    expect(await request(`${origin}svc/auth/actuator/health/readiness`)).toMatchObject({ status: 200 });
  });

  test('an edit in one service leaves the five others of its context fresh', async () => {
    const file = join(source, 'services/user-service/cmd/api/main.go');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"hello"', '"edited"'));
    const freshness = await readFreshness();
    expect(freshness).toMatchObject({ 'user-service': 'stale' });
    expect(go.filter((name) => freshness[`${name}-service`] === 'fresh')).toHaveLength(5);
    const { exitCode, stdout, stderr } = await checkout.run('reload', 'user-service');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    process.stderr.write(stdout);
    expect(await requestJson(`${origin}svc/user/api/users`)).toMatchObject({ greeting: 'edited' });
  });

  test('an edit of what they share makes all six stale', async () => {
    const file = join(source, 'packages/platform/service.go');
    const before = await readFile(file, 'utf8');
    await writeFile(file, before.replace('"up 1"', '"up 2"'));
    const freshness = await readFreshness();
    expect(go.filter((name) => freshness[`${name}-service`] === 'stale')).toHaveLength(6);
    await writeFile(file, before);
  });

  test('back on stand-ins, theirs is there, also what an earlier version stored', async () => {
    await rm(settings);
    expect(await checkout.up()).toMatchObject({ changed: true });
    for (const name of ['auth', ...go]) {
      expect(await request(`${origin}svc/${name}/health/ready`), name).toMatchObject({ status: 200 });
    }
    expect(await texts()).toEqual(['of the stand-in']);
    expect(await readLevel()).toBe('restricted');
  });

  test('and once more the own programs find theirs', async () => {
    await writeFile(settings, `source: ${JSON.stringify(source)}\n`);
    await checkout.up();
    await expectOwnPrograms();
    expect(await titles()).toEqual(['of the own program']);
  });
});
