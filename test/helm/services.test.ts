import { beforeAll, describe, expect, it } from 'vitest';
import { resourcesOf, serviceTable } from '../service-table.ts';
import { render } from './helm.ts';
import { decode, getContainer, getManifest, getWorkload, listServices, type Manifest } from './manifests.ts';

const encodedPassword = 'p%40ss%27w%2Frd%20%221%22';

describe.each(Object.entries(serviceTable))('%s', (chart, { port, database, redisIndex }) => {
  let specification: readonly Manifest[];
  let local: readonly Manifest[];
  beforeAll(async () => {
    [specification, local] = await Promise.all([
      render(chart, { environment: 'base' }),
      render(chart, { environment: 'local-kind' }),
    ]);
  });
  const container = (manifests: readonly Manifest[]) => getContainer(getWorkload(manifests, chart));

  it('has a volume for /tmp, but in local-kind, where its image has one', () => {
    const volumesOf = (manifests: readonly Manifest[]) =>
      getWorkload(manifests, chart).spec.template.spec.volumes;
    expect(volumesOf(specification)).toEqual([{ name: 'tmp', emptyDir: {} }]);
    expect(container(specification).volumeMounts).toEqual([{ name: 'tmp', mountPath: '/tmp' }]);
    expect([volumesOf(local), container(local).volumeMounts]).toEqual([undefined, undefined]);
  });

  it('has the port of the table, inside and outside', () => {
    const [service, ...others] = listServices(specification);
    expect(others).toEqual([]);
    expect(service?.metadata.name).toBe(chart);
    expect(service?.spec).toMatchObject({
      type: 'ClusterIP',
      ports: [{ name: 'http', port, targetPort: 'http' }],
    });
    expect(container(specification).ports).toEqual([{ name: 'http', containerPort: port }]);
  });

  it('has its resources, on this machine without a CPU limit and with next to no CPU request', () => {
    const { requests, limits } = resourcesOf(chart);
    expect(Object.keys(limits).sort()).toEqual(['cpu', 'memory']);
    expect(container(specification).resources).toEqual({ requests, limits });
    expect(container(local).resources).toEqual({
      requests: { ...requests, cpu: '10m' },
      limits: { memory: limits.memory },
    });
  });

  it('has the specified probes, on this machine without lost seconds', () => {
    const live = {
      httpGet: { path: '/health/live', port: 'http' },
      initialDelaySeconds: 10,
      periodSeconds: 10,
    };
    const ready = {
      httpGet: { path: '/health/ready', port: 'http' },
      initialDelaySeconds: 5,
      periodSeconds: 5,
    };
    expect(container(specification).livenessProbe).toEqual(live);
    expect(container(specification).readinessProbe).toEqual(ready);
    // Nothing is killed for being slow in the first 15 minutes.
    const { httpGet } = live;
    const times = { periodSeconds: 5, failureThreshold: 180 };
    expect(container(specification).startupProbe).toEqual({ httpGet, ...times });
    expect(container(local).livenessProbe).toMatchObject({ ...live, failureThreshold: 90 });
    expect(container(local).readinessProbe).toMatchObject({ initialDelaySeconds: 0, periodSeconds: 5 });
    expect(container(local).startupProbe).toBeUndefined();
  });

  it('is replaced without a moment without it', () => {
    const { strategy } = getWorkload(local, chart).spec;
    expect(strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    expect(container(specification).lifecycle?.preStop?.sleep?.seconds).toBe(5);
    expect(container(local).lifecycle?.preStop?.sleep?.seconds).toBe(1);
  });

  it('reads the shared configuration, then its own, then secrets', () => {
    const sources = container(local).envFrom?.map(
      ({ configMapRef, secretRef }) => configMapRef?.name ?? secretRef?.name,
    );
    expect(sources).toEqual([
      'wealist-shared-config',
      `${chart}-config`,
      'wealist-shared-secret',
      ...(database || redisIndex !== undefined ? [`${chart}-secret`] : []),
    ]);
    expect(getWorkload(local, chart).spec.template.spec.enableServiceLinks).toBe(false);
  });

  it('knows its port and its database', () => {
    const { data } = getManifest(local, 'ConfigMap', `${chart}-config`);
    expect(data).toMatchObject({ PORT: String(port), SERVER_PORT: String(port) });
    expect([data?.DB_NAME, data?.DB_USER]).toEqual([database?.name, database?.role]);
    if (!database) return;
    expect(decode(getManifest(local, 'Secret', `${chart}-secret`)).DATABASE_URL).toBe(
      `postgresql://${database.role}:${encodedPassword}@postgres:5432/${database.name}?sslmode=disable`,
    );
  });
});

describe('what sets one service apart', () => {
  it('is the base path for user and chat, and none for board', async () => {
    const configs = await Promise.all(
      (['user-service', 'chat-service', 'board-service'] as const).map(async (chart) =>
        getManifest(await render(chart), 'ConfigMap', `${chart}-config`),
      ),
    );
    expect(configs.map(({ data }) => data?.SERVER_BASE_PATH)).toEqual(['/api', '/api/chats', undefined]);
  });

  it('is an address of Redis with an index for board', async () => {
    const secret = getManifest(await render('board-service'), 'Secret', 'board-service-secret');
    expect(decode(secret).REDIS_URL).toBe('redis://:redis%3Apass%20word@redis:6379/1');
    const values = { shared: { secrets: { REDIS_PASSWORD: '' } } };
    const open = getManifest(await render('board-service', { values }), 'Secret', 'board-service-secret');
    expect(decode(open).REDIS_URL).toBe('redis://redis:6379/1');
  });

  it('is one setting of the kernel for the frontend, which listens on port 80 as anybody', async () => {
    const { securityContext } = getWorkload(await render('frontend'), 'frontend').spec.template.spec;
    expect(securityContext).toMatchObject({
      runAsUser: 10001,
      sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }],
    });
  });
});

describe('a real service', () => {
  it('brings its start, probes, files and permissions by values alone', async () => {
    const values = {
      services: {
        frontend: {
          command: null,
          probes: {
            liveness: { httpGet: { path: '/' } },
            readiness: { httpGet: null, exec: { command: ['wait-for-port'] }, timeoutSeconds: 60 },
            startup: { tcpSocket: { port: 'http' }, periodSeconds: 1 },
          },
          env: { POD_NAME: { valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } } },
          runtimeFiles: {
            'config.js': { path: '/usr/share/nginx/html/config.js', content: 'window.a = "";\n' },
          },
          volumes: {
            tmp: null,
            cache: { mount: { mountPath: '/var/cache/nginx' }, source: { emptyDir: { medium: 'Memory' } } },
          },
          podSecurityContext: { runAsNonRoot: false, runAsUser: 0, sysctls: null },
          securityContext: { capabilities: { add: ['CHOWN'] } },
          resources: { requests: { memory: '1Gi' } },
          podSpec: { nodeSelector: { disk: 'fast' } },
          podAnnotations: { 'prometheus.io/scrape': 'true' },
        },
      },
    };
    const manifests = await render('frontend', { values });
    const { metadata, spec } = getWorkload(manifests, 'frontend').spec.template;
    const container = getContainer(getWorkload(manifests, 'frontend'));

    expect(container.command).toBeUndefined();
    expect(container.livenessProbe?.httpGet).toEqual({ path: '/', port: 'http' });
    expect(container.readinessProbe).toEqual({
      ...{ exec: { command: ['wait-for-port'] }, timeoutSeconds: 60 },
      ...{ initialDelaySeconds: 0, periodSeconds: 5, failureThreshold: 2 },
    });
    expect(container.startupProbe).toEqual({ tcpSocket: { port: 'http' }, periodSeconds: 1 });
    expect(container.env).toEqual([
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ]);
    expect(container.volumeMounts).toEqual([
      { name: 'cache', mountPath: '/var/cache/nginx' },
      {
        ...{ name: 'runtime-config', mountPath: '/usr/share/nginx/html/config.js' },
        ...{ subPath: 'config.js', readOnly: true },
      },
    ]);
    expect(spec.volumes).toEqual([
      { name: 'cache', emptyDir: { medium: 'Memory' } },
      { name: 'runtime-config', configMap: { name: 'frontend-runtime-config' } },
    ]);
    expect(getManifest(manifests, 'ConfigMap', 'frontend-runtime-config').data).toEqual({
      'config.js': 'window.a = "";\n',
    });
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: false, runAsUser: 0 });
    expect(spec.securityContext?.sysctls).toBeUndefined();
    expect(container.securityContext?.capabilities).toEqual({ add: ['CHOWN'], drop: ['ALL'] });
    expect(container.resources?.requests).toEqual({ cpu: '10m', memory: '1Gi' });
    expect(spec.nodeSelector).toEqual({ disk: 'fast' });
    expect(metadata.annotations).toMatchObject({ 'prometheus.io/scrape': 'true' });
  });
});

describe('the checksum that replaces pods', () => {
  const checksum = async (values: object) => {
    const manifests = await render('chat-service', { values });
    return getWorkload(manifests, 'chat-service').spec.template.metadata.annotations?.['checksum/config'];
  };

  it('follows all that the pods read, and nothing else', async () => {
    const [before, ...after] = await Promise.all(
      [
        {},
        { shared: { config: { LOG_LEVEL: 'warn' } } },
        { shared: { secrets: { INTERNAL_API_KEY: 'another' } } },
        { services: { 'chat-service': { config: { NODE_ENV: 'test' } } } },
        { services: { 'user-service': { port: 9999 } } },
        { public: { httpPort: 8080 } },
      ].map(checksum),
    );
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set([before, ...after]).size).toBe(1 + after.length);

    const same = await Promise.all(
      [
        { images: { 'chat-service': 'wealist/chat-service:b2' } },
        { services: { 'user-service': { enabled: false } } },
        { services: { 'user-service': { config: { LOG_LEVEL: 'warn' } } } },
        { infrastructure: { s3: { enabled: false } } },
      ].map(checksum),
    );
    expect(new Set(same)).toEqual(new Set([before]));
  });
});
