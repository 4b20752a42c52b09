import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { exec } from '../../src/tools/exec.ts';
import { findHelm, parseManifests } from '../helm/helm.ts';
import { containersOf, listWorkloads } from '../helm/manifests.ts';
import { type Application, checkout, getProject, listCharts, type Project, readApps } from './apps.ts';

const chart = join(checkout, 'argocd/try-out');

/** As Argo CD renders the Application that `up` makes. */
async function renderTryOut(values: object): Promise<readonly (Application | Project)[]> {
  const args = ['template', 'wealist-try-out', chart, '--namespace=argocd', '--values=-'];
  const { stdout } = await exec(findHelm(), args, { input: JSON.stringify(values) });
  return parseManifests(stdout) as unknown as readonly (Application | Project)[];
}

const isApplication = (app: Application | Project): app is Application => app.kind === 'Application';

it('is the Applications of git with another repository and more values, the root aside', async () => {
  const values = { images: { 'user-service': 'wealist.local/user-service:0123456789ab' } };
  const rendered = await renderTryOut({ values });
  const apps = await readApps();
  const defaults = parse(await readFile(join(chart, 'values.yaml'), 'utf8'));
  const byName = (one: Application, other: Application) =>
    one.metadata.name.localeCompare(other.metadata.name);

  const expected = listCharts(apps).map((app) => {
    const { source } = app.spec;
    const helm = { ...source.helm, valuesObject: { ...defaults.values, ...values } };
    const repoURL = defaults.repository;
    return { ...app, spec: { ...app.spec, source: { ...source, repoURL, helm } } };
  }) as readonly Application[];
  expect(rendered.filter(isApplication).toSorted(byName)).toEqual(expected.toSorted(byName));

  const project = getProject(apps);
  const sourceRepos = [defaults.repository];
  expect(rendered.filter((app) => !isApplication(app))).toEqual([
    { ...project, spec: { ...project.spec, sourceRepos } },
  ]);
});

it('is the named Applications only, where some are named', async () => {
  const rendered = await renderTryOut({ applications: ['user-service', 'wealist-infrastructure'] });
  expect(
    rendered
      .filter(isApplication)
      .map(({ metadata }) => metadata.name)
      .sort(),
  ).toEqual(['user-service', 'wealist-infrastructure']);
});

it('gives what is built from source the values of its own program', async () => {
  const rendered = await renderTryOut({ fromSource: ['user-service'] });
  const files = new Map(
    rendered
      .filter(isApplication)
      .map(({ metadata, spec }) => [metadata.name, spec.source.helm?.valueFiles ?? []]),
  );
  expect(files.get('user-service')?.at(-1)).toBe('../../from-source.yaml');
  expect(files.get('auth-service')).not.toContain('../../from-source.yaml');
});

it('renders in the namespace that up makes, with the Secret that up makes, on storage of this machine', async () => {
  const rendered = await renderTryOut({ applications: ['wealist-infrastructure'] });
  const { spec } = rendered.find(isApplication) as Application;
  const files = spec.source.helm?.valueFiles.map(
    (file) => `--values=${join(checkout, spec.source.path, file)}`,
  );
  const args = ['template', 'wealist-infrastructure', join(checkout, spec.source.path), ...(files ?? [])];
  const input = JSON.stringify(spec.source.helm?.valuesObject);
  const { stdout } = await exec(findHelm(), [...args, '--namespace=wealist-dev', '--values=-'], { input });
  const kinds = parseManifests(stdout).map(({ kind }) => kind);
  expect(kinds).toContain('StatefulSet');
  expect(kinds.filter((kind) => /^(Namespace|Ingress|Secret|Cluster.*)$/.test(kind))).toEqual([]);
  expect(stdout.match(/storageClassName: .*/g)).toEqual(Array(3).fill('storageClassName: wealist-data'));
});

it('asks for so little CPU that it fits beside wealist-kind-local on two cores', async () => {
  const rendered = await renderTryOut({});
  const requests = await Promise.all(
    rendered.filter(isApplication).map(async ({ metadata: { name }, spec: { source } }) => {
      const folder = join(checkout, source.path);
      const files = source.helm?.valueFiles.map((file) => `--values=${join(folder, file)}`) ?? [];
      const args = ['template', name, folder, ...files, '--namespace=wealist-dev', '--values=-'];
      const input = JSON.stringify(source.helm?.valuesObject);
      const manifests = parseManifests((await exec(findHelm(), args, { input })).stdout);
      return listWorkloads(manifests).flatMap(({ spec }) =>
        containersOf(spec.template.spec).map(({ resources }) => resources?.requests?.cpu),
      );
    }),
  );
  expect(requests.flat().length).toBeGreaterThanOrEqual(13);
  expect(new Set(requests.flat())).toEqual(new Set(['10m']));
});
