import { beforeAll, describe, expect, it } from 'vitest';
import { type EnvironmentName, environments, namespaces, remoteEnvironments, render } from './helm.ts';
import { getContainer, getManifest, getWorkload, listIngresses, type Manifest } from './manifests.ts';

/** A service, and the infrastructure, of each environment. */
const rendered = new Map<
  EnvironmentName,
  { auth: readonly Manifest[]; infrastructure: readonly Manifest[] }
>();
beforeAll(async () => {
  await Promise.all(
    environments.map(async (environment) => {
      const [auth, infrastructure] = await Promise.all([
        render('auth-service', { environment }),
        render('wealist-infrastructure', { environment }),
      ]);
      rendered.set(environment, { auth, infrastructure });
    }),
  );
});
const of = (environment: EnvironmentName) => {
  const found = rendered.get(environment);
  if (found) return found;
  throw new Error(`${environment} was not rendered`);
};
const kindsOf = (manifests: readonly Manifest[]) => new Set(manifests.map(({ kind }) => kind));

describe.each(remoteEnvironments)('%s', (environment) => {
  it('has its namespace, held to its Pod Security level', () => {
    const level = environment === 'prod' ? 'restricted' : 'baseline';
    const namespace = getManifest(of(environment).infrastructure, 'Namespace', namespaces[environment]);
    expect(namespace.metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': level,
      'pod-security.kubernetes.io/warn': level,
      'pod-security.kubernetes.io/audit': level,
    });
  });

  it('is probed as specified, the slow one after it has started', () => {
    const container = getContainer(getWorkload(of(environment).auth, 'auth-service'));
    expect(container.livenessProbe).toEqual({
      httpGet: { path: '/health/live', port: 'http' },
      ...{ initialDelaySeconds: 10, periodSeconds: 10 },
    });
    expect(container.readinessProbe).toEqual({
      httpGet: { path: '/health/ready', port: 'http' },
      ...{ initialDelaySeconds: 5, periodSeconds: 5 },
    });
    const { periodSeconds = 0, failureThreshold = 0 } = container.startupProbe ?? {};
    expect(container.startupProbe?.httpGet).toEqual(container.livenessProbe?.httpGet);
    // Auth takes 73 s, and ten times as long on a slow machine.
    expect(periodSeconds * failureThreshold).toBeGreaterThan(730);
  });

  it('starts each program as its image says', () => {
    const { command, args } = getContainer(getWorkload(of(environment).auth, 'auth-service'));
    expect({ command, args }).toEqual({ command: undefined, args: undefined });
  });

  it('reads a Secret that somebody else made, under both spellings, and renders none', () => {
    const { auth, infrastructure } = of(environment);
    expect(kindsOf([...auth, ...infrastructure])).not.toContain('Secret');
    const { env = [] } = getContainer(getWorkload(auth, 'auth-service'));
    const secretKeys = env.map(({ name, valueFrom }) => [name, valueFrom?.secretKeyRef?.key]);
    expect(Object.fromEntries(secretKeys)).toEqual({
      ...{ SECRET_KEY: 'JWT_SECRET', SPRING_REDIS_PASSWORD: 'REDIS_PASSWORD' },
      GOOGLE_SECRET: 'GOOGLE_CLIENT_SECRET',
    });
  });

  it('has addresses whose password the kubelet fills in', async () => {
    const { env = [] } = getContainer(
      getWorkload(await render('board-service', { environment }), 'board-service'),
    );
    const value = (wanted: string) => env.find(({ name }) => name === wanted)?.value;
    expect(value('DATABASE_URL')).toMatch(
      /^postgresql:\/\/board_service:\$\(DB_PASSWORD\)@postgres[a-z.]*:5432\/wealist_board_service_db\?sslmode=\w+$/,
    );
    expect(value('REDIS_URL')).toMatch(/^redis:\/\/:\$\(REDIS_PASSWORD\)@redis[a-z.]*:6379\/1$/);
  });

  it('is served under its own name only', () => {
    const hosts = listIngresses(of(environment).infrastructure).flatMap(({ spec }) =>
      spec.rules.map(({ host }) => host),
    );
    const name = environment === 'prod' ? '' : `${environment.replace('local-', '')}.`;
    expect(hosts).not.toContain(undefined);
    for (const host of hosts) expect([`${name}wealist.example`, `s3.${name}wealist.example`]).toContain(host);
  });
});

describe('as many pods as the load needs', () => {
  it('in prod: 2 to 10 at 70 % of the CPU request, over zones and nodes, and a drain takes one at a time', () => {
    const { auth } = of('prod');
    expect(getManifest(auth, 'HorizontalPodAutoscaler', 'auth-service')).toMatchObject({
      apiVersion: 'autoscaling/v2',
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'auth-service' },
        ...{ minReplicas: 2, maxReplicas: 10 },
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
          },
        ],
      },
    });
    const { spec } = getWorkload(auth, 'auth-service');
    // Each release would otherwise put the autoscaler's number back.
    expect(spec).not.toHaveProperty('replicas');
    expect(spec.template.spec.topologySpreadConstraints?.map(({ topologyKey }) => topologyKey)).toEqual([
      'topology.kubernetes.io/zone',
      'kubernetes.io/hostname',
    ]);
    expect(getManifest(auth, 'PodDisruptionBudget', 'auth-service').spec).toMatchObject({
      maxUnavailable: 1,
    });
  });

  it('nowhere else, but where it is asked for', async () => {
    for (const environment of environments.filter((name) => name !== 'prod')) {
      expect(kindsOf(of(environment).auth), environment).not.toContain('HorizontalPodAutoscaler');
    }
    const values = { services: { 'chat-service': { autoscaling: { enabled: true, maxReplicas: 3 } } } };
    const [chat, user] = await Promise.all([
      render('chat-service', { values }),
      render('user-service', { values }),
    ]);
    expect(getManifest(chat, 'HorizontalPodAutoscaler', 'chat-service').spec).toMatchObject({
      ...{ minReplicas: 2, maxReplicas: 3 },
    });
    expect(kindsOf(user)).not.toContain('HorizontalPodAutoscaler');
  });
});

describe('nodes', () => {
  const wanted = (manifests: readonly Manifest[], name: string) =>
    getWorkload(manifests, name).spec.template.spec.affinity;
  const prefers = (type: string) => ({
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          preference: {
            matchExpressions: [{ key: 'wealist.local/node-type', operator: 'In', values: [type] }],
          },
        },
      ],
    },
  });

  it('for services are app nodes, for stores db nodes, as a preference that one node fulfils as well', () => {
    const { auth, infrastructure } = of('dev');
    expect(wanted(auth, 'auth-service')).toEqual(prefers('app'));
    for (const store of ['postgres', 'redis', 's3', 'bootstrap']) {
      expect(wanted(infrastructure, store), store).toEqual(prefers('db'));
    }
  });

  it('are any where none are preferred, and what a service says itself is added', async () => {
    const podAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [] };
    const values = {
      infrastructure: { nodeType: '' },
      services: { 'chat-service': { nodeType: '', podSpec: { affinity: { podAffinity } } } },
    };
    const [chat, infrastructure] = await Promise.all([
      render('chat-service', { values }),
      render('wealist-infrastructure', { values }),
    ]);
    expect(wanted(chat, 'chat-service')).toEqual({ podAffinity });
    expect(wanted(infrastructure, 'redis')).toBeUndefined();
  });
});

describe('the roles', () => {
  const kinds = ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'];
  const rolesOf = (environment: EnvironmentName) =>
    of(environment)
      .infrastructure.filter(({ kind }) => kinds.includes(kind))
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`);

  it('are in prod, and to be tried in local-kind', () => {
    const all = [
      ...['ClusterRole wealist-admin', 'ClusterRoleBinding wealist-admin', 'Role developer'],
      ...['RoleBinding developer', 'Role deployer', 'RoleBinding deployer'],
    ];
    expect(rolesOf('prod').toSorted()).toEqual(all.toSorted());
    expect(rolesOf('local-kind').toSorted()).toEqual(all.toSorted());
    for (const environment of ['local-ubuntu', 'dev', 'staging'] as const) {
      expect(rolesOf(environment)).toEqual([]);
    }
  });

  it('say exactly what the specification says', () => {
    const rules = (kind: string, name: string) =>
      (getManifest(of('prod').infrastructure, kind, name) as Manifest & { rules: unknown }).rules;
    expect(rules('Role', 'developer')).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['pods/log'], verbs: ['get', 'list'] },
      { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] },
    ]);
    expect(rules('Role', 'deployer')).toEqual([
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['create', 'update'] },
      {
        apiGroups: [''],
        resources: ['configmaps', 'secrets'],
        verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
      },
    ]);
  });
});
