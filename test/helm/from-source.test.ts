import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { valuesFiles } from '../../src/config/values.ts';
import { filesOf, render, serviceCharts } from './helm.ts';
import { decode, getContainer, getManifest, getWorkload, type Manifest } from './manifests.ts';

const checkout = join(import.meta.dirname, '../..');
const own = new Set(filesOf('local-kind'));
const files = valuesFiles({
  checkout,
  environment: { name: 'local-kind' },
  fromSource: true,
  secrets: join(import.meta.dirname, 'values/secrets.yaml'),
  generated: join(import.meta.dirname, 'values/images.yaml'),
});
const go = serviceCharts.filter((name) => name !== 'auth-service' && name !== 'frontend');

/** weAlist's own programs (`wealist.md` 2.3, 2.4, 2.6), by the values that each gets when it is built from source. */
describe('services that are built from source', () => {
  const rendered = new Map<string, readonly Manifest[]>();
  beforeAll(async () => {
    const charts = [...serviceCharts, 'wealist-infrastructure'] as const;
    await Promise.all(charts.map(async (chart) => void rendered.set(chart, await render(chart, { files }))));
  });
  const of = (chart: string) => rendered.get(chart) ?? [];
  const containerOf = (chart: string) => getContainer(getWorkload(of(chart), chart));
  const podOf = (chart: string) => getWorkload(of(chart), chart).spec.template.spec;

  it('differ from the environment by one file', () => {
    expect(files.filter((file) => !own.has(file))).toEqual([join(checkout, 'helm/from-source.yaml')]);
  });

  it('start as their images say, with their command and their user', () => {
    for (const chart of serviceCharts) {
      expect(containerOf(chart).command, chart).toBeUndefined();
      if (chart === 'frontend') continue;
      expect(podOf(chart).securityContext, chart).toEqual({
        ...{ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
    }
  });

  it('auth-service is asked where Spring Boot answers, and has the time and memory of a JVM', () => {
    const { livenessProbe, readinessProbe, startupProbe, resources } = containerOf('auth-service');
    expect(livenessProbe?.httpGet).toEqual({ path: '/actuator/health/liveness', port: 'http' });
    expect(readinessProbe?.httpGet).toEqual({ path: '/actuator/health/readiness', port: 'http' });
    expect((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0)).toBeGreaterThan(120);
    expect(resources).toMatchObject({ requests: { memory: '512Mi' }, limits: { memory: '1Gi' } });
    const { annotations } = getWorkload(of('auth-service'), 'auth-service').spec.template.metadata;
    expect(annotations).toMatchObject({ 'prometheus.io/path': '/actuator/prometheus' });
  });

  it.each(go)('%s is asked where Go answers', (chart) => {
    const { livenessProbe, readinessProbe } = containerOf(chart);
    expect(livenessProbe?.httpGet?.path).toBe('/health/live');
    expect(readinessProbe?.httpGet?.path).toBe('/health/ready');
    expect(decode(getManifest(of(chart), 'Secret', `${chart}-secret`)).DATABASE_URL).toMatch(
      /^postgresql:\/\/\w+_service:[^@]+@postgres:5432\/wealist_\w+_db/,
    );
  });

  it('board-service knows Redis by one URL with its own index, and S3 by keys that are there', () => {
    const { REDIS_URL } = decode(getManifest(of('board-service'), 'Secret', 'board-service-secret'));
    expect(REDIS_URL).toMatch(/@redis:6379\/1$/);
    const secret = getManifest(of('wealist-infrastructure'), 'Secret', 'wealist-shared-secret');
    expect(Object.keys(secret.data ?? {})).toEqual(
      expect.arrayContaining(['S3_ACCESS_KEY', 'S3_SECRET_KEY', 'SECRET_KEY']),
    );
    const { data } = getManifest(of('board-service'), 'ConfigMap', 'board-service-config');
    expect(data).not.toHaveProperty('SERVER_BASE_PATH');
  });

  it('frontend is nginx: root, its capabilities, its page’s configuration in place', () => {
    const { securityContext, volumeMounts, livenessProbe, readinessProbe } = containerOf('frontend');
    expect(podOf('frontend').securityContext).toMatchObject({ runAsNonRoot: false, runAsUser: 0 });
    expect(securityContext?.capabilities).toEqual({
      add: ['CHOWN', 'SETGID', 'SETUID', 'NET_BIND_SERVICE'],
      drop: ['ALL'],
    });
    expect([livenessProbe?.httpGet?.path, readinessProbe?.httpGet?.path]).toEqual(['/', '/']);
    expect(volumeMounts).toContainEqual({
      ...{ name: 'runtime-config', mountPath: '/usr/share/nginx/html/config.js' },
      ...{ subPath: 'config.js', readOnly: true },
    });
    expect(getManifest(of('frontend'), 'ConfigMap', 'frontend-runtime-config').data?.['config.js']).toBe(
      'window.__ENV__ = { API_BASE_URL: "" };\n',
    );
    const { annotations } = getWorkload(of('frontend'), 'frontend').spec.template.metadata;
    expect(annotations).not.toHaveProperty('prometheus.io/scrape');
  });
});
