import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { argocdVersion } from '../../images/argocd/release.ts';
import { exec } from '../../src/tools/exec.ts';
import { findHelm, parseManifests } from '../helm/helm.ts';
import { getManifest, getWorkload, listServices, listWorkloads, type Manifest } from '../helm/manifests.ts';
import { listViolations } from '../helm/restricted.ts';
import { checkout } from './apps.ts';

const images = { argocd: `quay.io/argoproj/argocd:v${argocdVersion}`, redis: 'wealist.local/redis:1' };

interface Role extends Manifest {
  readonly rules: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
}

let manifests: readonly Manifest[];
beforeAll(async () => {
  const chart = join(checkout, 'helm/charts/wealist-argocd');
  const args = ['template', 'wealist-argocd', chart, '--namespace=argocd', '--values=-'];
  const { stdout } = await exec(findHelm(), args, { input: JSON.stringify({ images }) });
  manifests = parseManifests(stdout);
});

it('keeps each pod to the restricted Pod Security Standard', () => {
  expect(
    listWorkloads(manifests)
      .map(({ metadata }) => metadata.name)
      .sort(),
  ).toEqual(['argocd', 'git']);
  for (const { metadata, spec } of listWorkloads(manifests)) {
    expect(listViolations(spec.template.spec), metadata.name).toEqual([]);
  }
});

it('gives Argo CD rights in its own and the tried out namespace only, and none in the cluster', () => {
  expect(manifests.filter(({ kind }) => kind.startsWith('Cluster'))).toEqual([]);
  const roles = manifests.filter((manifest): manifest is Role => manifest.kind === 'Role');
  expect(roles.map(({ metadata }) => metadata.namespace ?? 'argocd').sort()).toEqual([
    'argocd',
    'wealist-dev',
  ]);
  const own = roles.find(({ metadata }) => metadata.namespace === undefined);
  const writing = own?.rules
    .filter(({ verbs }) => verbs.includes('update'))
    .flatMap(({ resources }) => resources);
  expect(writing?.every((resource) => /^(applications|appprojects)/.test(resource))).toBe(true);
});

it('narrows what Argo CD watches to the same namespaces', () => {
  const { stringData } = getManifest(manifests, 'Secret', 'in-cluster') as Manifest & {
    readonly stringData: Readonly<Record<string, string>>;
  };
  expect(stringData).toMatchObject({ namespaces: 'argocd,wealist-dev', clusterResources: 'false' });
});

it('gives the token of the cluster to the controller, and not to what renders a repository', () => {
  const pod = getWorkload(manifests, 'argocd').spec.template.spec;
  expect(pod.automountServiceAccountToken).toBe(false);
  const holders = pod.containers.filter(({ volumeMounts = [] }) =>
    volumeMounts.some(({ name }) => name === 'token'),
  );
  expect(holders.map(({ name }) => name)).toEqual(['controller']);
});

it('lets nobody outside of the pod reach its Redis and its repo server', () => {
  const { containers } = getWorkload(manifests, 'argocd').spec.template.spec;
  const words = (name: string) => {
    const { command = [], args = [] } = containers.find((each) => each.name === name) ?? {};
    return [...command, ...args].join(' ');
  };
  expect(words('redis')).toContain('--bind 127.0.0.1');
  expect(words('repo-server')).toContain('--address=127.0.0.1');
  expect(listServices(manifests).map(({ metadata }) => metadata.name)).toEqual(['git']);
});

it('labels what Argo CD reads as part of it, without which it would not be found', () => {
  for (const [kind, name] of [
    ['ConfigMap', 'argocd-cm'],
    ['Secret', 'argocd-secret'],
    ['Secret', 'in-cluster'],
  ] as const) {
    expect(getManifest(manifests, kind, name).metadata.labels).toMatchObject({
      'app.kubernetes.io/part-of': 'argocd',
    });
  }
});

it('has no way to push to the Git server', () => {
  const { data = {} } = getManifest(manifests, 'ConfigMap', 'git');
  const [daemon] = data['serve.sh']?.split('\n').filter((line) => line.startsWith('exec git daemon')) ?? [];
  expect(daemon).not.toContain('--enable');
});

it('is of the version that the image and the definitions have', async () => {
  const text = (path: string) => readFile(join(checkout, path), 'utf8');
  expect(parse(await text('images/catalog.yaml')).argocd.pull).toBe(images.argocd);
  expect(await text('images/argocd/build/go.mod')).toContain(
    `github.com/argoproj/argo-cd/v3 v${argocdVersion}`,
  );
  expect(getWorkload(manifests, 'argocd').metadata.labels).toMatchObject({
    'app.kubernetes.io/version': argocdVersion,
  });
});
