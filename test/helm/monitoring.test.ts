import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { refusal, render, renderText } from './helm.ts';
import {
  containersOf,
  getManifest,
  getWorkload,
  listIngresses,
  listServices,
  listWorkloads,
  type Manifest,
  type PodSpec,
  type Workload,
} from './manifests.ts';
import { listDangling } from './references.ts';
import { listViolations } from './restricted.ts';

const images = Object.fromEntries(
  ['prometheus', 'loki', 'log-shipper', 'grafana'].map((name) => [name, `wealist/${name}:a1`]),
);
/** The images of a machine that can pull none. */
const { grafana: _, loki: __, ...pulledToo } = images;
const built: Readonly<Record<string, string>> = { ...pulledToo, 'victoria-logs': 'wealist/victoria-logs:a1' };
const run = { monitoring: { namespaces: ['wealist-kind-local'], expected: ['auth-service', 'frontend'] } };

let whole: readonly Manifest[];
let builtOnly: readonly Manifest[];
beforeAll(async () => {
  [whole, builtOnly] = await Promise.all([
    render('wealist-monitoring', { values: { images, ...run } }),
    render('wealist-monitoring', { values: { images: built, ...run } }),
  ]);
});

/** A file of a ConfigMap, as data. */
function readConfig(map: string, file: string): never {
  return parse(getManifest(whole, 'ConfigMap', map).data?.[file] ?? '') as never;
}

function podOf(name: string): PodSpec {
  const found = whole.find(({ kind, metadata }) => kind === 'DaemonSet' && metadata.name === name);
  return ((found as Workload | undefined) ?? getWorkload(whole, name)).spec.template.spec;
}

describe('the chart', () => {
  it('makes each object once, names nothing that is not there, and fills in everything', async () => {
    const names = whole.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''} ${metadata.name}`);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    expect(listDangling(whole, [])).toEqual([]);
    const text = await renderText('wealist-monitoring', { values: { images, ...run } });
    expect(text.match(/<no value>|<nil>|map\[|%!/g)).toBeNull();
  });

  it('keeps to the restricted Pod Security Standard, but for the folder that the log shipper reads', () => {
    for (const { metadata, spec } of listWorkloads(whole)) {
      expect(listViolations(spec.template.spec), metadata.name).toEqual([]);
    }
    expect(listViolations(podOf('log-shipper'))).toEqual(['volume pods: hostPath']);
    const mounts = containersOf(podOf('log-shipper')).flatMap(({ volumeMounts = [] }) => volumeMounts);
    expect(mounts).toContainEqual({ name: 'pods', mountPath: '/var/log/pods', readOnly: true });
  });

  it('asks for little: all of it together for less than one service of the platform may take', () => {
    const pods = [...listWorkloads(builtOnly).map(({ spec }) => spec.template.spec), podOf('log-shipper')];
    const requests = pods.flatMap(containersOf).map(({ resources }) => resources?.requests ?? {});
    const sum = (key: string) =>
      requests.reduce((total, each) => total + Number.parseInt(each[key] ?? 'NaN', 10), 0);
    expect(sum('cpu')).toBeLessThanOrEqual(150);
    expect(sum('memory')).toBeLessThanOrEqual(384);
  });

  it('gives Prometheus alone an account, which reads pods where it looks and nothing else there', () => {
    const accounts = [...listWorkloads(whole).map(({ spec }) => spec.template.spec), podOf('log-shipper')]
      .filter(({ automountServiceAccountToken }) => automountServiceAccountToken !== false)
      .map(({ serviceAccountName }) => serviceAccountName);
    expect(accounts).toEqual(['prometheus']);
    const roles = whole.filter(({ kind }) => kind === 'Role');
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(['wealist-kind-local', 'monitoring']);
    for (const role of roles) {
      expect(role).toMatchObject({ rules: [{ resources: ['pods'], verbs: ['get', 'list', 'watch'] }] });
    }
  });

  it('leaves Grafana out, and has VictoriaLogs in place of Loki, where these images cannot be had', () => {
    const namesOf = (manifests: readonly Manifest[]) => manifests.map(({ metadata }) => metadata.name);
    expect(namesOf(whole)).toContain('grafana');
    expect(namesOf(builtOnly).filter((name) => name.includes('grafana'))).toEqual([]);
    for (const manifests of [listIngresses(builtOnly), listServices(builtOnly), listWorkloads(builtOnly)]) {
      expect(namesOf(manifests).toSorted()).toEqual(['prometheus', 'victoria-logs']);
    }
    expect(namesOf(whole)).not.toContain('victoria-logs');
    expect(listDangling(builtOnly, [])).toEqual([]);
    for (const { spec } of listWorkloads(builtOnly)) expect(listViolations(spec.template.spec)).toEqual([]);
  });

  it.each([
    ['loki', { endpoint: 'http://loki:3100/otlp' }, () => whole],
    [
      'victoria-logs',
      { logs_endpoint: 'http://victoria-logs:9428/insert/opentelemetry/v1/logs' },
      () => builtOnly,
    ],
  ])('sends the logs to %s, at a port that its Service has', (name, address, manifests) => {
    const text = getManifest(manifests(), 'ConfigMap', 'log-shipper').data?.['config.yaml'] ?? '';
    expect(parse(text).exporters.otlp_http).toMatchObject(address);
    const service = listServices(manifests()).find(({ metadata }) => metadata.name === name);
    expect(service?.spec.ports[0]?.port).toBe(Number(new URL(Object.values(address)[0] ?? '').port));
  });

  it('has no data source and no dashboard of logs where Grafana is there without Loki', async () => {
    const withGrafana = { ...built, grafana: images.grafana };
    const manifests = await render('wealist-monitoring', { values: { images: withGrafana, ...run } });
    const dashboards = getManifest(manifests, 'ConfigMap', 'grafana-dashboards').data ?? {};
    expect(Object.keys(dashboards).sort()).toEqual(['platform.json', 'service.json']);
    const sources = getManifest(manifests, 'ConfigMap', 'grafana-data-sources').data ?? {};
    expect(sources['data-sources.yaml']).not.toContain('loki');
  });
});

describe('the routes', () => {
  it('lead each host name to the Service of its name', () => {
    const ports = new Map(
      listServices(whole).map(({ metadata, spec }) => [metadata.name, spec.ports[0]?.port]),
    );
    const routes = listIngresses(whole).flatMap(({ spec }) =>
      spec.rules.map(({ host, http }) => [host, http.paths[0]?.backend.service]),
    );
    expect(routes).toEqual(
      ['grafana', 'loki', 'prometheus'].map((name) => [
        `${name}.localhost`,
        { name, port: { number: ports.get(name) } },
      ]),
    );
  });

  it('are written for the controller that is there', async () => {
    const values = { images, ...run, ingress: { controller: 'nginx' }, public: { httpPort: 8080 } };
    const manifests = await render('wealist-monitoring', { values });
    for (const { metadata, spec } of listIngresses(manifests)) {
      expect(spec.ingressClassName).toBe('nginx');
      expect(Object.keys(metadata.annotations ?? {}).every((key) => key.startsWith('nginx.'))).toBe(true);
    }
    expect(containersOf(getWorkload(manifests, 'prometheus').spec.template.spec)[0]?.command).toContain(
      '--web.external-url=http://prometheus.localhost:8080/',
    );
  });
});

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
}

function listRules(): readonly Rule[] {
  const { groups } = readConfig('prometheus', 'rules.yaml') as {
    readonly groups: readonly { readonly rules: readonly Rule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

describe('Prometheus', () => {
  it('alerts of each service that is expected, and of errors, slowness and memory', () => {
    const alerts = listRules().filter(({ alert }) => alert !== undefined);
    expect(
      alerts.map(({ alert, expr }) => `${alert} ${/service="([^"]+)"/.exec(expr)?.[1] ?? ''}`.trim()),
    ).toEqual(['ServiceDown auth-service', 'ServiceDown frontend', 'ErrorRate', 'Slow', 'Memory']);
  });

  it('compares what it records', () => {
    const recorded = listRules().flatMap(({ record }) => record ?? []);
    expect(recorded).toHaveLength(5);
    const used = listRules().flatMap(({ alert, expr }) => (alert ? (expr.match(/\w+:\w+:\w+/g) ?? []) : []));
    expect(recorded).toEqual(expect.arrayContaining(used));
    expect(used).toHaveLength(3);
  });

  it('looks where services are, and at itself', () => {
    const { scrape_configs: jobs } = readConfig('prometheus', 'prometheus.yaml') as {
      readonly scrape_configs: readonly {
        readonly job_name: string;
        readonly kubernetes_sd_configs: readonly {
          readonly namespaces?: { readonly names: readonly string[] };
        }[];
      }[];
    };
    expect(jobs.map((job) => [job.job_name, job.kubernetes_sd_configs[0]?.namespaces?.names])).toEqual([
      ['services', ['wealist-kind-local']],
      ['monitoring', ['monitoring']],
      ['containers', undefined],
    ]);
  });
});

describe('Grafana', () => {
  interface Dashboard {
    readonly uid: string;
    readonly panels: readonly {
      readonly id: number;
      readonly datasource: { readonly uid: string };
      readonly targets: readonly { readonly expr: string }[];
    }[];
  }

  async function readDashboards(): Promise<readonly Dashboard[]> {
    const folder = join(import.meta.dirname, '../../helm/charts/wealist-monitoring/files/dashboards');
    const files = await readdir(folder);
    return Promise.all(files.map(async (file) => JSON.parse(await readFile(join(folder, file), 'utf8'))));
  }

  it('has the three dashboards as they stand in the files', async () => {
    const { data = {} } = getManifest(whole, 'ConfigMap', 'grafana-dashboards');
    expect(Object.keys(data).sort()).toEqual(['logs.json', 'platform.json', 'service.json']);
    const provided = Object.values(data).map((text) => JSON.parse(text));
    expect(provided).toEqual(expect.arrayContaining([...(await readDashboards())]));
    const home = containersOf(podOf('grafana'))[0]?.env?.find(({ name }) =>
      name.endsWith('HOME_DASHBOARD_PATH'),
    );
    expect(Object.keys(data)).toContain(home?.value?.split('/').at(-1));
  });

  it('asks data sources that are provisioned, and for rules that there are', async () => {
    const { datasources } = readConfig('grafana-data-sources', 'data-sources.yaml') as {
      readonly datasources: readonly { readonly uid: string }[];
    };
    const recorded = listRules().flatMap(({ record }) => record ?? []);
    for (const { uid, panels } of await readDashboards()) {
      expect(new Set(panels.map(({ id }) => id)).size, uid).toBe(panels.length);
      for (const { datasource, targets } of panels) {
        expect(
          datasources.map((source) => source.uid),
          uid,
        ).toContain(datasource.uid);
        for (const { expr } of targets) {
          expect(recorded, expr).toEqual(expect.arrayContaining(expr.match(/\w+:\w+:\w+/g) ?? []));
        }
      }
    }
  });
});

it.each([
  [{ rules: { errors: { ratio: 5 } } }, /ratio/],
  [{ loki: { retention: 'a day' } }, /retention/],
  [{ promtheus: {} }, /promtheus/],
])('values that are none are refused: %o', async (monitoring, message) => {
  expect(await refusal('wealist-monitoring', { values: { images, monitoring } })).toMatch(message);
});
