import { copyFile, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { exec } from '../../src/tools/exec.ts';
import { kubectl, listObjects, listUnreadyPods, namespace, readReleases } from './cluster.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const target = 'wealist-dev';
const devValues = 'helm/environments/dev.yaml';

interface Application {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly sync: { readonly status: string; readonly revision: string };
    readonly health: { readonly status: string };
  };
}

const listApplications = async () =>
  (await listObjects(checkout, 'applications.argoproj.io', '--namespace=argocd')) as unknown as Application[];

async function git(...args: string[]): Promise<string> {
  const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.com'];
  return (await exec('git', [...identity, ...args], { cwd: checkout.root })).stdout.trim();
}

/** All that a sync into the CLI's namespace would change. */
async function readOwn() {
  const { stdout } = await kubectl(
    checkout,
    ...['get', 'deployments,statefulsets,configmaps,secrets,services,ingresses', `--namespace=${namespace}`],
    '--output=jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.metadata.generation}{"\\n"}{end}',
  );
  return { objects: stdout, releases: await readReleasesOf(namespace) };
}

/** What helm has in a namespace: the records are its Secrets. */
async function readReleasesOf(where: string): Promise<readonly string[]> {
  const secrets = await listObjects(checkout, 'secrets', `--namespace=${where}`, '--selector=owner=helm');
  return secrets.map(({ metadata }) => metadata.name).toSorted();
}

let own: Awaited<ReturnType<typeof readOwn>>;

describe('up --with argocd', () => {
  beforeAll(async () => {
    await checkout.run('down');
    await checkout.up('auth-service');
    own = await readOwn();
  });

  test('without a commit to sync: exit code 2 with the way to one, and nothing is done', async () => {
    const { exitCode, stderr } = await checkout.run('up', '--yes', '--with=argocd', 'auth-service');
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('this checkout has no commit with argocd/ and helm/'),
    });
    expect(await listObjects(checkout, 'namespaces', '--field-selector=metadata.name=argocd')).toEqual([]);
  });

  // Without its image, Argo CD is built.
  test('syncs what is committed into a namespace of its own', { timeout: 60 * 60_000 }, async () => {
    await git('init', '--quiet');
    await git('add', '--all');
    await git('commit', '--quiet', '--message=first');
    const { milliseconds } = await checkout.up('auth-service', '--with=argocd');
    process.stderr.write(`up --with argocd: ${(milliseconds / 1000).toFixed(1)} s\n`);

    const applications = await listApplications();
    expect(
      applications.map(({ metadata, status }) => [metadata.name, status.sync.status, status.health.status]),
    ).toEqual(
      ['auth-service', 'user-service', 'wealist-infrastructure', 'wealist-try-out'].map((name) => [
        ...[name, 'Synced', 'Healthy'],
      ]),
    );
    expect(await listUnreadyPods(checkout, target, 'argocd')).toEqual([]);
    // No release of helm's: Argo CD alone owns what is there.
    expect(await readReleasesOf(target)).toEqual([]);
  });

  test('the services work there, on data stores of their own', async () => {
    const path = `/api/v1/namespaces/${target}/services/user-service:8081/proxy`;
    const { stdout } = await kubectl(checkout, 'get', '--raw', `${path}/health/ready`);
    expect(JSON.parse(stdout)).toEqual({ ready: true, waitingFor: [] });
    const pods = await listObjects(checkout, 'pods', `--namespace=${target}`);
    const names = new Set(pods.map(({ metadata }) => metadata.labels?.['app.kubernetes.io/name']));
    expect([...names].toSorted()).toEqual([
      ...['auth-service', 'bootstrap', 'postgres', 'redis', 's3', 'user-service'],
    ]);
  });

  test('the namespace of the CLI is as it was, and Argo CD could not change it', async () => {
    expect(await readOwn()).toEqual(own);
    const canCreate = async (where: string) => {
      const as = '--as=system:serviceaccount:argocd:argocd';
      const args = ['auth', 'can-i', 'create', 'deployments', `--namespace=${where}`, as];
      // A no is exit code 1.
      return kubectl(checkout, ...args).then(
        ({ stdout }) => stdout,
        (error) => error.stdout.trim(),
      );
    };
    expect([await canCreate(target), await canCreate(namespace)]).toEqual(['yes', 'no']);
  });

  test("the namespaces hold their pods to dev's level, and Argo CD's to the restricted one", async () => {
    const namespaces = await listObjects(checkout, 'namespaces');
    const levelOf = (name: string) =>
      namespaces.find(({ metadata }) => metadata.name === name)?.metadata.labels?.[
        'pod-security.kubernetes.io/enforce'
      ];
    expect([levelOf('argocd'), levelOf(target)]).toEqual(['restricted', 'baseline']);
  });

  test('again: nothing to do', async () => {
    expect(await checkout.up('auth-service')).toMatchObject({ changed: false });
  });
});

describe('the Applications in git', () => {
  const apps = join(checkout.root, 'argocd/apps');
  const dryRun = (file: string) =>
    kubectl(checkout, 'apply', '--dry-run=server', '--validate=strict', '--server-side', '-f', file);

  test("pass Argo CD's own definitions, each field of them known", async () => {
    await dryRun(apps);
  });

  test('would not with a key that is mistyped', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wealist-e2e-apps-'));
    const text = await readFile(join(apps, 'auth-service.yaml'), 'utf8');
    await copyFile(join(apps, 'project.yaml'), join(folder, 'project.yaml'));
    await writeFile(join(folder, 'app.yaml'), text.replace('valueFiles', 'valuesFiles'));
    await expect(dryRun(folder)).rejects.toThrow();
    await expect(dryRun(folder)).rejects.toMatchObject({
      stderr: expect.stringMatching(/valuesFiles/),
    });
  });
});

describe('a change', () => {
  const readReplicas = async () => {
    const args = [
      'get',
      'deployment',
      'user-service',
      `--namespace=${target}`,
      '--output=jsonpath={.spec.replicas}',
    ];
    return (await kubectl(checkout, ...args)).stdout;
  };

  test('that is not committed is not synced, and up says so', async () => {
    await checkout.edit(devValues, (text) => `${text}\nservices:\n  user-service: { replicas: 2 }\n`);
    const { exitCode, stderr } = await checkout.run('up', 'auth-service');
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(`uncommitted, so not synced by Argo CD: ${devValues}`),
    });
    expect(await readReplicas()).toBe('1');
  });

  test('that is committed is synced by the next up, and nothing else', async () => {
    await git('commit', '--quiet', '--all', '--message=two of user-service');
    const { steps } = await checkout.up('auth-service');
    const applied = steps.filter(({ skipped }) => skipped === undefined).map(({ step }) => step);
    expect(applied).toEqual(
      expect.arrayContaining(['committed charts in the Git server', 'applications synced into wealist-dev']),
    );
    expect(await readReplicas()).toBe('2');
    expect(await listUnreadyPods(checkout, target)).toEqual([]);
    expect(await readOwn()).toEqual(own);
  });

  test('by hand is taken back by Argo CD', async () => {
    await kubectl(checkout, 'scale', 'deployment/user-service', `--namespace=${target}`, '--replicas=0');
    await expect.poll(readReplicas, { timeout: 60_000 }).toBe('2');
  });

  test('that cannot be rendered ends up with its reason, and what runs goes on', async () => {
    const undo = await checkout.edit(devValues, (text) => text.replace('replicas: 2', 'replicas: two'));
    await git('commit', '--quiet', '--all', '--message=a mistake');
    const { exitCode, stderr } = await checkout.run('up', 'auth-service');
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 8,
      stderr: expect.stringContaining('/services/user-service/replicas'),
    });
    expect(await readReplicas()).toBe('2');
    await undo();
    await git('commit', '--quiet', '--all', '--message=put right');
    await checkout.up('auth-service');
  });
});

test('up --without argocd takes all of it away, and nothing of the CLI', async () => {
  await checkout.up('auth-service', '--without=argocd');
  const namespaces = (await listObjects(checkout, 'namespaces')).map(({ metadata }) => metadata.name);
  expect(namespaces).not.toContain('argocd');
  expect(namespaces).not.toContain(target);
  const definitions = await listObjects(checkout, 'customresourcedefinitions');
  expect(definitions.filter(({ metadata }) => metadata.name.endsWith('argoproj.io'))).toEqual([]);
  expect(Object.keys(await readReleases(checkout))).not.toContain('wealist-argocd');
  expect(await readOwn()).toEqual(own);
});
