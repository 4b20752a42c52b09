import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { docker, kubectl, listObjects, namespace, nodeOf } from './cluster.ts';
import { apply, type Cause, getWhyReport, patchService, show, waitForCauses } from './faults.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

/*
 * Faults of what the services stand on, each made on the real cluster, and taken back by the command that `why` names
 * where that is one.
 */
const checkout = sharedCheckout();
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  await checkout.up();
});
afterAll(async () => {
  await checkout.up('--repair');
});
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

const inNamespace = `--namespace=${namespace}`;

/** Statements, as the superuser. */
const sql = (...statements: string[]) =>
  kubectl(
    checkout,
    ...['exec', inNamespace, 'postgres-0', '--', 'psql', '--host=/tmp', '--username=postgres', '--quiet'],
    ...statements.map((statement) => `--command=${statement}`),
  );

/** Waits for one cause that hits all these; resolves to it. */
async function waitForCause(
  about: string | undefined,
  line: RegExp,
  hit: readonly string[] = [],
): Promise<Cause | undefined> {
  const matches = (cause: Cause) =>
    cause.about === about && line.test(cause.line) && hit.every((name) => cause.affects.includes(name));
  const report = await waitForCauses(checkout, [matches]);
  show(report);
  expect(report.causes.map((cause) => cause.line)).toContainEqual(expect.stringMatching(line));
  return report.causes.find(matches);
}

describe('what services find wrong with what they need', () => {
  const found: Record<string, Cause | undefined> = {};

  beforeAll(async () => {
    await Promise.all([
      sql('DROP DATABASE wealist_noti_service_db WITH (FORCE)'),
      sql(
        "ALTER ROLE chat_service PASSWORD 'another'",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'chat_service'",
      ),
      patchService(checkout, 'video-service', { envFrom: [{ configMapRef: { name: 'not-there' } }] }),
      patchService(checkout, 'board-service', { envFrom: [{ secretRef: { name: 'not-there' } }] }),
      kubectl(
        checkout,
        ...['patch', inNamespace, 'deployment/storage-service'],
        `--patch=${JSON.stringify({
          spec: {
            template: {
              spec: {
                volumes: [{ name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }],
                containers: [
                  {
                    name: 'storage-service',
                    command: ['node', '-e', "require('fs').writeFileSync('/tmp/x', Buffer.alloc(4e6))"],
                    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
                  },
                ],
              },
            },
          },
        })}`,
      ),
      kubectl(checkout, 'delete', 'ingress', inNamespace, 'wealist-services'),
    ]);
    const wanted: readonly (readonly [name: string, matches: (cause: Cause) => boolean])[] = [
      ['database', ({ line }) => line === 'database wealist_noti_service_db does not exist in postgres'],
      ['password', ({ line }) => line === 'postgres rejected the password of role chat_service'],
      ['config', ({ line }) => line === 'ConfigMap not-there does not exist'],
      ['secret', ({ line }) => line === 'Secret not-there does not exist'],
      ['disk', ({ line }) => line === 'disk is full'],
      ['route', ({ line }) => line === 'no Ingress route'],
    ];
    const report = await waitForCauses(
      checkout,
      wanted.map(([, matches]) => matches),
    );
    show(report);
    for (const [name, matches] of wanted) found[name] = report.causes.find(matches);
  });

  test('a database that is missing', () => {
    expect(found.database).toMatchObject({
      ...{ about: 'postgres', affects: ['noti-service'], next: 'npm run up -- --repair' },
      evidence: expect.stringContaining('does not exist'),
    });
  });

  test('a password that is refused', () => {
    expect(found.password).toMatchObject({
      about: 'postgres',
      affects: ['chat-service'],
      next: 'npm run up -- --repair',
    });
  });

  test('a ConfigMap and a Secret that do not exist', () => {
    expect(found.config).toMatchObject({
      about: 'video-service',
      next: expect.stringContaining('get configmaps'),
    });
    expect(found.secret).toMatchObject({
      about: 'board-service',
      next: expect.stringContaining('get secrets'),
    });
  });

  test('a full disk', () => {
    expect(found.disk).toMatchObject({
      ...{ about: 'storage-service', next: 'npm run doctor' },
      evidence: expect.stringMatching(/ENOSPC|no space left/),
    });
  });

  test('routes that are gone, as one cause', () => {
    expect(found.route?.affects).toEqual(expect.arrayContaining(['auth-service', 'user-service']));
    expect(found.route).toMatchObject({ next: 'npm run up -- --repair' });
  });

  test('the command that three of them name takes all of it back', async () => {
    await checkout.up('--repair');
    expect(await getWhyReport(checkout)).toMatchObject({ causes: [] });
  });
});

test('DNS that does not run is one cause', async () => {
  const scale = (replicas: number) =>
    kubectl(checkout, 'scale', '--namespace=kube-system', 'deployment/coredns', `--replicas=${replicas}`);
  undo.push(() => scale(2));
  await scale(0);
  await kubectl(
    checkout,
    'rollout',
    'restart',
    inNamespace,
    'deployment/user-service',
    'deployment/board-service',
  );
  const report = await waitForCauses(checkout, [
    ({ about, affects }) =>
      about === 'dns' && affects.includes('user-service') && affects.includes('board-service'),
  ]);
  show(report);
  expect(report.causes[0]).toMatchObject({
    ...{ about: 'dns', line: 'DNS unavailable: coredns is scaled to 0 replicas' },
    affects: expect.arrayContaining(['user-service', 'board-service']),
    next: 'npm run kubectl -- -n kube-system scale deployment/coredns --replicas=2',
  });
});

test('a NetworkPolicy that denies connections to Redis', async () => {
  const change = (ingress: readonly object[]) =>
    kubectl(
      checkout,
      ...['patch', 'networkpolicy', 'redis-ingress', inNamespace, '--type=json'],
      `--patch=${JSON.stringify([{ op: 'replace', path: '/spec/ingress', value: ingress }])}`,
    );
  const [policy] = await listObjects(
    checkout,
    ...['networkpolicies', inNamespace, '--field-selector=metadata.name=redis-ingress'],
  );
  if (!policy) throw new Error('redis has no NetworkPolicy of its own');
  const { ingress } = policy.spec as unknown as { ingress: readonly object[] };
  undo.push(() => change(ingress));
  await change([]);
  // A connection that is there stays.
  await kubectl(checkout, 'delete', 'pod', inNamespace, 'redis-0');
  const cause = await waitForCause(
    'redis',
    /^NetworkPolicies default-deny, redis-ingress deny connections to redis$/,
    ['auth-service', 'chat-service'],
  );
  expect(cause).toMatchObject({
    affects: expect.arrayContaining(['auth-service', 'chat-service']),
    next: `npm run kubectl -- -n ${namespace} describe networkpolicy default-deny redis-ingress`,
  });
});

test('a Job that fails', async () => {
  const [job] = await listObjects(
    checkout,
    'jobs',
    inNamespace,
    '--selector=app.kubernetes.io/name=bootstrap',
  );
  const name = 'bootstrap-that-fails';
  undo.push(() => kubectl(checkout, 'delete', 'job', inNamespace, name));
  if (!job) throw new Error('there is no Job to take as a pattern');
  const { template } = job.spec as unknown as { template: { spec: { containers: readonly object[] } } };
  const { containers, ...pod } = template.spec;
  const failing = {
    ...containers[0],
    command: ['sh', '-c', 'echo the schema is from the future >&2; exit 4'],
  };
  await apply(checkout, {
    ...{ apiVersion: 'batch/v1', kind: 'Job' },
    metadata: { name, namespace, labels: job.metadata.labels },
    spec: { backoffLimit: 0, template: { spec: { ...pod, restartPolicy: 'Never', containers: [failing] } } },
  });
  const cause = await waitForCause(name, /^failed, exit code 4$/);
  expect(cause).toMatchObject({
    log: 'the schema is from the future',
    next: `npm run kubectl -- -n ${namespace} logs job/${name}`,
  });
});

test('a PersistentVolumeClaim without its provisioner', async () => {
  const scale = (replicas: number) =>
    kubectl(
      checkout,
      ...[
        'scale',
        '--namespace=local-path-storage',
        'deployment/local-path-provisioner',
        `--replicas=${replicas}`,
      ],
    );
  undo.push(() => scale(1));
  await scale(0);
  await kubectl(checkout, 'delete', 'pvc', inNamespace, 'data-redis-0', '--wait=false');
  await kubectl(checkout, 'delete', 'pod', inNamespace, 'redis-0');
  const cause = await waitForCause(
    'redis',
    /^PersistentVolumeClaim data-redis-0 is Pending: local-path-provisioner is scaled to 0 replicas$/,
    ['redis', 'auth-service'],
  );
  expect(cause).toMatchObject({
    next: 'npm run kubectl -- -n local-path-storage scale deployment/local-path-provisioner --replicas=1',
  });
});

test('a node whose disk is full, and one that is not ready', async () => {
  const node = nodeOf(checkout.name);
  const config = '/var/lib/kubelet/config.yaml';
  const run = (...script: string[]) => docker('exec', node, 'sh', '-c', script.join(' && '));
  undo.push(() => run('systemctl start kubelet'));
  undo.push(() => run(`mv ${config}.kept ${config}`, 'systemctl restart kubelet'));
  // The kubelet's own threshold, so that any disk counts as full; imagefs alone takes no pod away for long.
  await run(
    `cp ${config} ${config}.kept`,
    `sed -i 's/^  nodefs.available: .*/  nodefs.available: 99.9%/' ${config}`,
    `grep -q 99.9 ${config}`,
    'systemctl restart kubelet',
  );
  await waitForCause(`node ${node}`, /reports DiskPressure: the disk is full, pods are evicted$/);
  await undo.pop()?.();

  await run('systemctl stop kubelet');
  await waitForCause(`node ${node}`, /is not ready$/);
});
