import { basename, join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadEnvironment } from '../../src/config/load.ts';
import { valuesFiles } from '../../src/config/values.ts';
import { toWaves } from '../../src/lib/waves.ts';
import { tryOutNamespace } from '../../src/plans/extras.ts';
import { exec } from '../../src/tools/exec.ts';
import { findHelm, parseManifests, serviceCharts } from '../helm/helm.ts';
import { type Application, checkout, getProject, listCharts, readApps } from './apps.ts';

let apps: Awaited<ReturnType<typeof readApps>>;
let charts: readonly Application[];
beforeAll(async () => {
  apps = await readApps();
  charts = listCharts(apps);
});

/** What both the CLI and Argo CD leave to somebody else: secrets come with the cluster. */
const gitHeld = valuesFiles({ checkout, environment: { name: 'dev' } });

async function template(release: string, chart: string, namespace: string, files: readonly string[]) {
  const values = files.map((file) => `--values=${file}`);
  const args = ['template', release, chart, `--namespace=${namespace}`, ...values];
  return (await exec(findHelm(), args)).stdout;
}

describe('the Applications', () => {
  it('are one per service, the infrastructure and the root of them', () => {
    expect([...apps.keys()]).toEqual(
      [...serviceCharts, 'infrastructure', 'project', 'root'].map((name) => `${name}.yaml`).sort(),
    );
    expect(charts.map(({ metadata }) => metadata.name).sort()).toEqual(
      [...serviceCharts, 'wealist-infrastructure'].sort(),
    );
  });

  it('are each named as their chart and their release', () => {
    for (const { metadata, spec } of charts) {
      expect(spec.source.path).toBe(`helm/charts/${metadata.name}`);
      expect(spec.source.helm?.releaseName).toBe(metadata.name);
      expect(metadata.namespace).toBe('argocd');
    }
  });

  it('take the values files of the CLI, in its order', () => {
    for (const { metadata, spec } of charts) {
      const files = spec.source.helm?.valueFiles.map((file) => resolve(checkout, spec.source.path, file));
      expect(files, metadata.name).toEqual(gitHeld);
    }
  });

  it.each([...serviceCharts, 'wealist-infrastructure'])('render what the CLI renders: %s', async (name) => {
    const app = charts.find(({ metadata }) => metadata.name === name) as Application;
    const { source, destination } = app.spec;
    const folder = join(checkout, source.path);
    // As Argo CD's repo server calls helm: in the chart's folder, with the files as the Application names them.
    const files = source.helm?.valueFiles.map((file) => resolve(folder, file)) ?? [];
    const [theirs, ours] = await Promise.all([
      template(source.helm?.releaseName ?? '', folder, destination.namespace, files),
      template(name, join(checkout, 'helm/charts', name), 'wealist-dev', gitHeld),
    ]);
    expect(parseManifests(theirs).length).toBeGreaterThan(1);
    expect(theirs).toBe(ours);
  });

  it('sync in the waves of `up`: each after all that it needs', async () => {
    const { services } = await loadEnvironment({ checkout, name: 'local-kind' });
    const waves = toWaves(Object.keys(services), (name) => services[name]?.needs ?? []);
    const waveOf = (name: string) =>
      Number(
        charts.find(({ metadata }) => metadata.name === name)?.metadata.annotations?.[
          'argocd.argoproj.io/sync-wave'
        ],
      );
    expect(waveOf('wealist-infrastructure')).toBe(0);
    expect(waves.map((wave) => wave.map(waveOf))).toEqual(waves.map((wave, at) => wave.map(() => at + 1)));
  });

  it('come from one repository and one branch, the only one that their project allows', () => {
    const project = getProject(apps);
    const sources = [...apps.values()].flatMap((app) =>
      app.kind === 'Application' ? [app.spec.source] : [],
    );
    expect(new Set(sources.map(({ repoURL }) => repoURL))).toEqual(new Set(project.spec.sourceRepos));
    expect(new Set(sources.map(({ targetRevision }) => targetRevision)).size).toBe(1);
  });

  it('stay in the namespace of dev, which is all that their project allows', async () => {
    const project = getProject(apps);
    const namespace = 'wealist-dev';
    for (const { spec } of charts) {
      expect(spec.project).toBe(project.metadata.name);
      expect(project.spec.destinations).toEqual([spec.destination]);
      expect(spec.destination.namespace).toBe(namespace);
    }
    const environments = ['dev', 'local-kind'].map((name) => loadEnvironment({ checkout, name }));
    const [dev, local] = await Promise.all(environments);
    expect([dev?.namespace, tryOutNamespace]).toEqual([namespace, namespace]);
    expect(local?.namespace).not.toBe(namespace);
  });

  it('may write just the kinds without a namespace that their charts have', async () => {
    const texts = await Promise.all(
      charts.map(({ metadata: { name }, spec }) =>
        template(name, join(checkout, spec.source.path), spec.destination.namespace, gitHeld),
      ),
    );
    const clusterWide =
      /^(Namespace|Cluster\w+|StorageClass|PriorityClass|IngressClass|CustomResourceDefinition)$/;
    const kinds = texts.flatMap(parseManifests).map(({ kind }) => kind);
    const allowed = getProject(apps).spec.clusterResourceWhitelist.map(({ kind }) => kind);
    expect(new Set(kinds.filter((kind) => clusterWide.test(kind)))).toEqual(new Set(allowed));
  });

  it('have a root that applies all files but itself', () => {
    const root = apps.get('root.yaml') as Application & {
      readonly spec: { readonly source: { readonly directory: { readonly exclude: string } } };
    };
    expect(root.spec.source).toMatchObject({
      path: 'argocd/apps',
      directory: { exclude: basename('root.yaml') },
    });
    expect(root.metadata.name).toBe('wealist-apps');
  });
});
