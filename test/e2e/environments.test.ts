import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { StatusReport } from '../../src/commands/context/status/status-report.ts';
import { exec } from '../../src/tools/exec.ts';
import { openCheckout } from './checkout.ts';
import { docker, kubectlOf, nodeOf } from './cluster.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const shared = sharedCheckout();
const other = `${shared.name}-dev`;
const folder = join(shared.folder, 'dev');
const kubeconfig = join(folder, 'config');
/** The same checkout, for a person whose kubeconfig names the second cluster as that of dev. */
const checkout = openCheckout(shared, { KUBECONFIG: kubeconfig });
const namespace = 'wealist-dev';

/** A second Kind cluster, made as anybody would; of it the tool only knows a kube context. */
beforeAll(async () => {
  // All skip where there is no engine.
  if (shared.folder === '') return;
  await shared.up('auth-service');
  await mkdir(folder, { recursive: true });
  const [image = ''] = await docker('inspect', '--format={{.Config.Image}}', nodeOf(shared.name));
  // The mount tells a later run whose leftover it is.
  const mounts = [{ hostPath: folder, containerPath: '/var/lib/wealist-e2e' }];
  const cluster = {
    ...{ kind: 'Cluster', apiVersion: 'kind.x-k8s.io/v1alpha4', name: other },
    nodes: [{ role: 'control-plane', image, extraMounts: mounts }],
  };
  await writeFile(join(folder, 'kind.yaml'), JSON.stringify(cluster));
  const kind = join(shared.root, '.wealist/bin/kind');
  await exec(kind, [
    'create',
    'cluster',
    `--config=${join(folder, 'kind.yaml')}`,
    `--kubeconfig=${kubeconfig}`,
  ]);
  await kubectl('config', 'rename-context', `kind-${other}`, 'wealist-dev');
});

afterAll(async () => {
  if (shared.folder === '') return;
  await checkout.run('env', 'use', 'local-kind');
  await exec('docker', ['rm', '--force', '--volumes', nodeOf(other)]);
  await rm(folder, { recursive: true, force: true });
});

async function kubectl(...args: string[]): Promise<string> {
  return (await exec(kubectlOf(shared), [`--kubeconfig=${kubeconfig}`, ...args])).stdout;
}

async function apply(...objects: object[]): Promise<void> {
  const file = join(folder, 'objects.json');
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  await kubectl('apply', `--filename=${file}`);
}

interface PlanResult {
  readonly differs: boolean;
  readonly comparison: {
    readonly notes: readonly string[];
    readonly objects: readonly {
      readonly kind: string;
      readonly name: string;
      readonly change: string;
      readonly fields: readonly {
        readonly path: string;
        readonly before?: string;
        readonly after?: string;
      }[];
    }[];
  };
  readonly outside: readonly { readonly name: string; readonly state: string; readonly problems: string[] }[];
}

async function plan(...words: string[]): Promise<PlanResult> {
  const { stdout, stderr, exitCode } = await checkout.run('plan', '--json', ...words);
  if (exitCode !== 0) throw new Error(`plan ended with exit code ${exitCode}:\n${stderr}`);
  return JSON.parse(stdout);
}

describe('plan on this machine', () => {
  test('after up there is nothing to change, and a change by hand is found', async () => {
    expect(await checkout.run('plan', 'auth-service', '--exit-code')).toMatchObject({ exitCode: 0 });
    const own = [
      `--kubeconfig=${join(shared.root, '.wealist/kubeconfig')}`,
      '--namespace=wealist-kind-local',
    ];
    await exec(kubectlOf(shared), [...own, 'scale', 'deployment/auth-service', '--replicas=2']);
    try {
      const { stdout, exitCode } = await checkout.run('plan', 'auth-service', '--exit-code');
      expect(exitCode).toBe(11);
      expect(stdout).toContain('~ Deployment auth-service\n      spec.replicas: 2 → 1\n');
    } finally {
      await exec(kubectlOf(shared), [...own, 'scale', 'deployment/auth-service', '--replicas=1']);
    }
  });
});

describe('a second cluster that poses as dev', () => {
  test('is trusted once it was agreed to, and the kubeconfig stays as it is', async () => {
    const before = await readFile(kubeconfig, 'utf8');
    const unasked = await checkout.run('env', 'trust', 'dev');
    expect(unasked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('env -- trust dev --yes') });
    expect(await checkout.run('status', '--env', 'dev')).toMatchObject({ exitCode: 9 });

    const { exitCode, stderr } = await checkout.run('env', 'trust', 'dev', '--yes');
    expect({ stderr, exitCode }).toMatchObject({ stderr: expect.stringContaining('UID'), exitCode: 0 });
    const { stdout } = await checkout.run('env', 'list', '--json');
    expect(JSON.parse(stdout).environments).toContainEqual(
      expect.objectContaining({ name: 'dev', state: 'answers', allowed: 'reading' }),
    );
    expect(await readFile(kubeconfig, 'utf8')).toBe(before);
  });

  test('plan: every object, tried out once its namespace is there; applied, nothing differs', async () => {
    const first = await plan('--env', 'dev');
    expect(new Set(first.comparison.objects.map(({ change }) => change))).toEqual(new Set(['new']));
    expect(first.outside).toMatchObject([{ name: 'wealist-shared-secret', state: 'missing' }]);

    await kubectl('create', 'namespace', namespace);
    const tried = await plan('--env', 'dev');
    expect(tried.comparison.objects.filter(({ change }) => change === 'refused')).toEqual([]);

    const out = join(folder, 'manifests');
    await plan('--env', 'dev', '--out', out);
    await kubectl('apply', '--server-side', `--namespace=${namespace}`, `--filename=${out}`);
    expect(await checkout.run('plan', '--env', 'dev', '--exit-code')).toMatchObject({ exitCode: 0 });
  });

  test('plan: a change by hand, field by field; the missing keys of a Secret, and never a value', async () => {
    await kubectl('scale', 'deployment/user-service', `--namespace=${namespace}`, '--replicas=3');
    const literals = ['DB_PASSWORD=a-value-of-nobody', 'JWT_SECRET=too-short-to-sign'].map(
      (literal) => `--from-literal=${literal}`,
    );
    await kubectl(
      'create',
      'secret',
      'generic',
      'wealist-shared-secret',
      `--namespace=${namespace}`,
      ...literals,
    );
    const result = await plan('--env', 'dev');
    const changed = result.comparison.objects.filter(({ change }) => change !== 'same');
    expect(changed).toMatchObject([
      {
        kind: 'Deployment',
        name: 'user-service',
        fields: [{ path: 'spec.replicas', before: '3', after: '1' }],
      },
    ]);
    expect(result.outside[0]).toMatchObject({ state: 'incomplete' });
    expect(result.outside[0]?.problems).toEqual(
      expect.arrayContaining(['S3_SECRET_KEY is missing', 'JWT_SECRET has 17 bytes, expected at least 64']),
    );
    expect(JSON.stringify(result)).not.toMatch(/a-value-of-nobody|too-short-to-sign/);
    expect(await checkout.run('plan', '--env', 'dev', '--exit-code')).toMatchObject({ exitCode: 11 });
  });

  test('status and logs of what runs there', async () => {
    // The only image that any node has and that writes a line: its name server.
    const columns = '--output=jsonpath={.items[0].spec.template.spec.containers[0].image}';
    const image = await kubectl(
      'get',
      'deployments',
      '--namespace=kube-system',
      '--selector=k8s-app=kube-dns',
      columns,
    );
    await kubectl('delete', 'deployment', 'auth-service', `--namespace=${namespace}`);
    const labels = { 'app.kubernetes.io/name': 'auth-service', 'app.kubernetes.io/part-of': 'wealist' };
    await apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'auth-service', namespace },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'auth-service', image, args: ['-dns.port=1053'] }] },
        },
      },
    });
    await kubectl(
      'rollout',
      'status',
      'deployment/auth-service',
      `--namespace=${namespace}`,
      '--timeout=90s',
    );
    const { stdout } = await checkout.run('status', '--env', 'dev', '--json');
    const { parts, cluster } = StatusReport.parse(JSON.parse(stdout));
    expect(cluster).toMatchObject({ name: 'wealist-dev', state: 'running' });
    expect(parts.find(({ name }) => name === 'auth-service')).toMatchObject({ state: 'ready' });
    const logs = await checkout.run('logs', 'auth-service', '--env', 'dev', '--no-follow');
    expect(logs).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('CoreDNS') });
    expect(logs.stderr).toContain('environment dev: kube context wealist-dev');
  });

  test('with few permissions a command shows what it may read, and says what it may not', async () => {
    const account = { kind: 'ServiceAccount', name: 'reader', namespace };
    await apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'reader', namespace } },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'reader' },
        subjects: [account],
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      },
    );
    const token = (await kubectl('create', 'token', 'reader', `--namespace=${namespace}`)).trim();
    await kubectl('config', 'set-credentials', 'reader', `--token=${token}`);
    await kubectl('config', 'set-context', 'wealist-dev', '--user=reader');
    try {
      const { stdout } = await checkout.run('status', '--env', 'dev', '--json');
      const { parts, cluster } = StatusReport.parse(JSON.parse(stdout));
      expect(cluster).toMatchObject({ state: 'running', nodes: [] });
      expect(parts.find(({ name }) => name === 'auth-service')).toMatchObject({ state: 'ready' });
      expect(await checkout.run('logs', 'auth-service', '--env', 'dev', '--no-follow')).toMatchObject({
        exitCode: 0,
      });
      const { comparison, outside } = await plan('--env', 'dev');
      expect(comparison.notes.join('\n')).toMatch(
        /reading Helm's release Secrets is forbidden\n.*server-side dry run \(patch\) is forbidden/,
      );
      expect(comparison.objects).toContainEqual(
        expect.objectContaining({
          name: 'user-service',
          change: 'changed',
          fields: [{ path: 'spec.replicas', before: '3', after: '1' }],
        }),
      );
      expect(outside).toMatchObject([{ name: 'wealist-shared-secret', state: 'unknown' }]);
    } finally {
      await kubectl('config', 'set-context', 'wealist-dev', `--user=kind-${other}`);
    }
  });

  test('every command that writes is refused, and nothing is touched', async () => {
    await checkout.run('env', 'use', 'dev');
    const read = async () => [
      await kubectl('get', 'all', `--namespace=${namespace}`, '--output=name'),
      await docker('inspect', '--format={{.State.StartedAt}}', nodeOf(shared.name)),
    ];
    const before = await read();
    for (const words of [
      ['up', '--yes'],
      ['reload', 'auth-service'],
      ['down', '--yes'],
      ['down', '--delete-data', '--yes'],
      ['forward', 'postgres'],
    ]) {
      const [command = '', ...rest] = words;
      const { stdout, stderr, exitCode } = await checkout.run(command, ...rest);
      expect({ words, stdout, stderr, exitCode }).toMatchObject({
        stdout: '',
        stderr: expect.stringContaining(`✗ ${command} is refused: environment dev`),
        exitCode: 9,
      });
    }
    expect(await read()).toEqual(before);
    await checkout.run('env', 'use', 'local-kind');
  });

  test('a kube context that was renamed, or leads to another cluster, is refused, reads included', async () => {
    const before = await readFile(kubeconfig, 'utf8');
    const refused = async (says: string) => {
      for (const command of ['status', 'why', 'logs', 'plan']) {
        const { stdout, stderr, exitCode } = await checkout.run(command, '--env', 'dev');
        expect({ command, stdout, stderr, exitCode }).toMatchObject({
          stdout: '',
          stderr: expect.stringContaining(says),
          exitCode: 9,
        });
      }
    };
    try {
      await kubectl('config', 'rename-context', 'wealist-dev', 'elsewhere');
      await refused('kube context wealist-dev of environment dev was not found in any kubeconfig');
      // The cluster of this checkout under the name that was trusted.
      const own = await readFile(join(shared.root, '.wealist/kubeconfig'), 'utf8');
      await writeFile(
        kubeconfig,
        own.replace(`name: kind-${shared.name}\ncurrent`, 'name: wealist-dev\ncurrent'),
      );
      await refused('points to another cluster than the trusted one of dev');
    } finally {
      await writeFile(kubeconfig, before);
    }
    expect(await checkout.run('status', '--env', 'dev')).toMatchObject({ exitCode: 0 });
  });
});
