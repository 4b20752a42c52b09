import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { exec } from '../../src/tools/exec.ts';
import {
  kubeconfigOf,
  kubectl,
  kubectlOf,
  listObjects,
  listUnreadyPods,
  namespace,
  readReleases,
} from './cluster.ts';
import { readRoutes, request, requestJson } from './ingress.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const dashboards = join(import.meta.dirname, '../../helm/charts/wealist-monitoring/files/dashboards');

/** Where each program answers, by its name, as `up` has printed it. */
let addresses: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  const result = await checkout.up('--with', 'monitoring');
  addresses = Object.fromEntries(result.addresses.map(({ name, url }) => [name, url]));
});

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** What an expression of PromQL comes to now. */
async function ask(expression: string): Promise<readonly Series[]> {
  const url = `${addresses.prometheus}api/v1/query?query=${encodeURIComponent(expression)}`;
  return (await requestJson<{ data: { result: readonly Series[] } }>(url)).data.result;
}

interface LogLine {
  readonly line: string;
  readonly service: string | undefined;
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
}

/** The newest lines of a service that contain a text, from the log store that this cluster has. */
async function findLines(service: string, text: string): Promise<readonly LogLine[]> {
  if (addresses.loki) {
    const lines = await askLoki(`{service_name="${service}"} |= "${text}"`);
    return lines.map(({ line, stream }) => ({
      line,
      service: stream.k8s_container_name,
      namespace: stream.k8s_namespace_name,
      pod: stream.k8s_pod_name,
    }));
  }
  const query = `_time:1h {service.name="${service}"} ${JSON.stringify(text)} | limit 20`;
  const origin = new URL(addresses['victoria-logs'] ?? '').origin;
  const { body } = await request(`${origin}/select/logsql/query?query=${encodeURIComponent(query)}`);
  return body
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .map((found) => ({
      line: found._msg,
      service: found['k8s.container.name'],
      namespace: found['k8s.namespace.name'],
      pod: found['k8s.pod.name'],
    }));
}

/** The newest lines that a query of LogQL finds, each with its labels. */
async function askLoki(query: string) {
  const url = `${addresses.loki}loki/api/v1/query_range?since=1h&limit=20&query=${encodeURIComponent(query)}`;
  const { data } = await requestJson<{
    data: {
      result: readonly { stream: Readonly<Record<string, string>>; values?: readonly [string, string][] }[];
    };
  }>(url);
  return data.result.flatMap(({ stream, values = [] }) => values.map(([, line]) => ({ stream, line })));
}

const servicesOf = (series: readonly Series[]) => series.map(({ metric }) => metric.service).toSorted();

describe('up --with monitoring', () => {
  test('prints an address for each program, and each answers under its own name', async () => {
    const paths: Readonly<Record<string, string>> = {
      prometheus: '-/ready',
      loki: 'ready',
      'victoria-logs': 'health',
      grafana: 'api/health',
    };
    const { weAlist, ...programs } = addresses;
    expect(Object.keys(programs)).toContain('prometheus');
    expect(Object.keys(programs).filter((name) => ['loki', 'victoria-logs'].includes(name))).toHaveLength(1);
    for (const [name, url] of Object.entries(programs)) {
      const { hostname, origin } = new URL(url);
      expect(hostname).toBe(`${name}.localhost`);
      expect(await request(`${origin}/${paths[name]}`), name).toMatchObject({ status: 200 });
    }
    const page = addresses['victoria-logs'];
    if (page) {
      expect(page).toMatch(/\/select\/vmui\/$/);
      expect((await request(page)).body).toContain('<title>');
    }
    expect(await request(weAlist ?? '')).toMatchObject({ status: 200 });
  });

  test('is kept: up without the flag changes nothing, and status lists it', async () => {
    expect(await checkout.up()).toMatchObject({ changed: false });
    const { stdout } = await checkout.run('status', '--json');
    const { extras, parts, ready } = JSON.parse(stdout);
    expect(ready).toBe(true);
    const missing = ['loki', 'grafana'].filter((name) => !addresses[name]);
    expect(extras).toEqual([{ name: 'monitoring', lacking: missing }]);
    const own = parts.filter(({ kind }: { kind: string }) => kind === 'extra');
    expect(own.map(({ name }: { name: string }) => name).toSorted()).toEqual(
      ['log-shipper', ...Object.keys(addresses).filter((name) => name !== 'weAlist')].toSorted(),
    );
  });

  test('leaves no route and no object of Grafana where that cannot be had', async () => {
    const routes = await listObjects(checkout, 'ingresses,services,configmaps', '--namespace=monitoring');
    const names = routes.map(({ metadata }) => metadata.name).filter((name) => name.includes('grafana'));
    expect(names.length > 0).toBe(addresses.grafana !== undefined);
  });

  test('keeps to the restricted Pod Security Standard, but for the folder that the log shipper reads', async () => {
    expect(await listUnreadyPods(checkout, 'monitoring')).toEqual([]);
    const level = 'pod-security.kubernetes.io/enforce=restricted';
    const words = ['label', '--dry-run=server', '--overwrite', 'namespace', 'monitoring', level];
    const { stderr } = await kubectl(checkout, ...words);
    const warnings = stderr.split('\n').filter((line) => /^Warning: [^:]+: /.test(line));
    expect(warnings).toEqual([expect.stringMatching(/^Warning: log-shipper-\w+: restricted volume types$/)]);
  });
});

describe('Prometheus', () => {
  test('has a metric of each service, and those of its requests', async () => {
    const routes = await readRoutes(checkout);
    const services = [...Object.keys(routes), 'frontend'].toSorted();
    await expect
      .poll(async () => servicesOf(await ask('up{job="services"} == 1')), { timeout: 60_000 })
      .toEqual(services);
    const ask1 = async () => {
      for (const route of Object.values(routes)) {
        await request(`${addresses.weAlist}svc/${route}/`);
      }
      await request(addresses.weAlist ?? '');
      return servicesOf(await ask('service:http_requests:rate > 0'));
    };
    await expect.poll(ask1, { timeout: 90_000, interval: 2_000 }).toEqual(services);
  });

  test('has what every container takes of its memory', async () => {
    const containers = async () =>
      (await ask('container:memory:ratio')).map(({ metric }) => metric.container ?? '');
    await expect
      .poll(containers, { timeout: 60_000 })
      .toEqual(expect.arrayContaining(['auth-service', 'postgres', 'redis', 'log-shipper']));
  });

  test('has rules that promtool finds nothing wrong with', async () => {
    const words = ['check', 'config', '/etc/prometheus/prometheus.yaml'];
    const inside = ['exec', '--namespace=monitoring', 'prometheus-0', '--', '/bin/promtool'];
    const { stdout } = await kubectl(checkout, ...inside, ...words);
    expect(stdout).toMatch(/SUCCESS: 16 rules found/);
  });

  test('has alerts of errors, slowness and memory, which promtool drives with made-up series', async () => {
    const series = (text: string, values: string) => ({ series: text, values });
    const of = 'job="services", namespace="n", service="a"';
    const request = `${of}, route="/x"`;
    const alerts = {
      ErrorRate: { service: 'a' },
      Slow: { service: 'a' },
      Memory: { pod: 'p', container: 'c' },
    };
    const toText = (labels: Readonly<Record<string, string>>) =>
      `ALERTS{alertstate="firing", namespace="n", severity="warning", ${Object.entries(labels)
        .map(([name, value]) => `${name}="${value}"`)
        .join(', ')}}`;
    const rulesTest = {
      rule_files: ['/etc/prometheus/rules.yaml'],
      evaluation_interval: '10s',
      tests: [
        {
          interval: '10s',
          input_series: [
            series(`http_requests_total{${request}, status="200"}`, '0+10x60'),
            series(`http_requests_total{${request}, status="500"}`, '0+2x60'),
            // What nobody asked for may fail and last as it will.
            series(`http_requests_total{${of}, route="/health/ready", status="503"}`, '0+100x60'),
            series(`http_request_duration_seconds_bucket{${request}, le="1"}`, '0+1x60'),
            series(`http_request_duration_seconds_bucket{${request}, le="5"}`, '0+10x60'),
            series(`http_request_duration_seconds_bucket{${request}, le="+Inf"}`, '0+10x60'),
            series('container_memory_working_set_bytes{namespace="n", pod="p", container="c"}', '95x60'),
            series('container_spec_memory_limit_bytes{namespace="n", pod="p", container="c"}', '100x60'),
          ],
          promql_expr_test: Object.entries(alerts).map(([alertname, labels]) => ({
            expr: `ALERTS{alertname="${alertname}", alertstate="firing"}`,
            eval_time: '5m',
            exp_samples: [{ labels: toText({ alertname, ...labels }), value: 1 }],
          })),
        },
      ],
    };
    const script = 'cat > /tmp/test.yaml && exec /bin/promtool test rules /tmp/test.yaml';
    const words = ['exec', '--stdin', '--namespace=monitoring', 'prometheus-0', '--', 'sh', '-c', script];
    const input = JSON.stringify(rulesTest);
    const { stdout } = await exec(kubectlOf(checkout), [`--kubeconfig=${kubeconfigOf(checkout)}`, ...words], {
      input,
    });
    expect(stdout).toContain('SUCCESS');
  });

  test('fires an alert when a service is stopped, and takes it back when it is there again', async () => {
    const firing = async () => servicesOf(await ask('ALERTS{alertname="ServiceDown", alertstate="firing"}'));
    const scale = (replicas: number) =>
      kubectl(
        checkout,
        `--namespace=${namespace}`,
        'scale',
        'deployment/chat-service',
        `--replicas=${replicas}`,
      );
    expect(await firing()).toEqual([]);
    await scale(0);
    await expect.poll(firing, { timeout: 120_000, interval: 1_000 }).toEqual(['chat-service']);
    await scale(1);
    await expect.poll(firing, { timeout: 90_000, interval: 1_000 }).toEqual([]);
  });
});

describe('the log store', () => {
  test('has the line that a request has just made a service write', async () => {
    const path = `/it-is-${randomBytes(6).toString('hex')}`;
    await request(`${addresses.weAlist}svc/auth${path}`);
    const find = async () => findLines('auth-service', path);
    await expect.poll(find, { timeout: 60_000, interval: 500 }).not.toEqual([]);
    const [found] = await find();
    expect(JSON.parse(found?.line ?? '')).toMatchObject({ service: 'auth-service', path, status: 404 });
    expect(found).toMatchObject({
      ...{ service: 'auth-service', namespace },
      pod: expect.stringMatching(/^auth-service-/),
    });
  });

  test('has what was written before the log shipper came, of every service', async () => {
    const services = Object.keys(await readRoutes(checkout));
    for (const service of services) {
      expect(await findLines(service, 'listening'), service).not.toEqual([]);
    }
  });
});

test("every panel's query is one that its data source answers", async () => {
  const replaced: Readonly<Record<string, string>> = {
    ...{ $service: 'auth-service', $level: '.*', $text: '' },
    ...{ $__rate_interval: '1m', $__auto: '1m' },
  };
  for (const file of await readdir(dashboards)) {
    const { panels } = JSON.parse(await readFile(join(dashboards, file), 'utf8'));
    for (const { datasource, targets, title } of panels) {
      for (const { expr } of targets) {
        const query = expr.replace(/\$\w+/g, (name: string) => replaced[name] ?? name);
        if (datasource.uid === 'prometheus') expect(await ask(query), title).toBeInstanceOf(Array);
        else if (addresses.loki) expect(await askLoki(query), title).toBeInstanceOf(Array);
      }
    }
  }
});

describe('up --without monitoring', () => {
  test('takes it away with its namespace and routes, and leaves its data', async () => {
    const { stdout } = await checkout.run('up', '--without=monitoring', '--dry-run', '--json');
    const pending = JSON.parse(stdout).steps.filter(
      ({ skipped }: { skipped?: string }) => skipped === undefined,
    );
    expect(pending.map(({ step }: { step: string }) => step)).toEqual([
      'ingress-traefik',
      'remove wealist-monitoring',
      'delete namespace monitoring',
    ]);
    const { addresses: left } = await checkout.up('--without=monitoring');
    expect(left.map(({ name }) => name)).toEqual(['weAlist']);
    expect(Object.keys(await readReleases(checkout))).not.toContain('wealist-monitoring');
    const namespaces = await listObjects(checkout, 'namespaces');
    expect(namespaces.map(({ metadata }) => metadata.name)).not.toContain('monitoring');
    // The host name leads to the page again, as any other does.
    expect(await request(`${addresses.prometheus}-/ready`)).toMatchObject({ status: 404 });
    const volume = join(checkout.data, 'volumes/monitoring/data-prometheus-0/prometheus');
    expect((await stat(volume)).isDirectory()).toBe(true);
    expect(await checkout.up()).toMatchObject({ changed: false });
  });
});
