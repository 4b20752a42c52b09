import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { exec } from '../../src/tools/exec.ts';
import { filesOf } from '../helm/helm.ts';
import { kubeconfigOf, kubectl, kubectlOf, listObjects, namespace } from './cluster.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const where = 'wealist-dev';
/** As whoever runs dev would keep it: no copies, no addresses. */
const secrets = {
  ...{ DB_PASSWORD: 'of-the-database-1', REDIS_PASSWORD: 'of-redis-2', INTERNAL_API_KEY: 'of-services-3' },
  ...{ S3_ACCESS_KEY: 'an-access-key', S3_SECRET_KEY: 'a-secret-key' },
  JWT_SECRET: 'a-secret-of-at-least-sixty-four-bytes-because-hs512-refuses-less',
  ...{ GOOGLE_CLIENT_ID: 'placeholder-client-id', GOOGLE_CLIENT_SECRET: 'placeholder-client-secret' },
};

beforeAll(async () => {
  await checkout.up();
  await apply({
    ...{ apiVersion: 'v1', kind: 'Namespace' },
    metadata: { name: where, labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } },
  });
  await apply({
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'wealist-shared-secret', namespace: where } },
    stringData: secrets,
  });
});

afterAll(async () => {
  await kubectl(checkout, 'delete', 'namespace', where, '--ignore-not-found');
});

describe('the values of dev, with a Secret that somebody else made', () => {
  test('start stores with its passwords, and a service that logs in at both', {
    timeout: 300_000,
  }, async () => {
    await install('wealist-infrastructure');
    await install('noti-service');
    await kubectl(
      checkout,
      'rollout',
      'status',
      'deployment/noti-service',
      `--namespace=${where}`,
      '--timeout=240s',
    );
    // Ready is only who reached its own database and Redis. A row of its own, all the same.
    const ask = `fetch('http://localhost:8002/api/notifications', { method: 'POST', body: '{"text":"kept"}',
      headers: { 'content-type': 'application/json' } }).then((reply) => reply.text()).then(console.log)`;
    const pod = ['exec', `--namespace=${where}`, 'deployment/noti-service', '--', 'node', '--eval', ask];
    expect(JSON.parse((await kubectl(checkout, ...pod)).stdout)).toMatchObject({ text: 'kept' });
  });

  test('without a Secret of the charts', async () => {
    const found = await listObjects(
      checkout,
      'secrets',
      `--namespace=${where}`,
      '--selector=app.kubernetes.io/managed-by=Helm',
    );
    expect(found).toEqual([]);
  });

  test('and a key that it lacks is named by the pod that reads it', async () => {
    const { JWT_SECRET: _lacking, ...rest } = secrets;
    await kubectl(checkout, 'delete', 'secret', 'wealist-shared-secret', `--namespace=${where}`);
    await apply({
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'wealist-shared-secret', namespace: where } },
      stringData: rest,
    });
    await kubectl(checkout, 'delete', 'pod', '--selector=app=noti-service', `--namespace=${where}`);
    const reasons = async () => {
      const args = ['get', 'events', `--namespace=${where}`, '--output=jsonpath={.items[*].message}'];
      return (await kubectl(checkout, ...args)).stdout;
    };
    await expect
      .poll(reasons, { timeout: 60_000, interval: 1_000 })
      .toContain(`couldn't find key JWT_SECRET in Secret ${where}/wealist-shared-secret`);
  });
});

async function apply(object: object) {
  const args = [`--kubeconfig=${kubeconfigOf(checkout)}`, 'apply', '--filename=-'];
  await exec(kubectlOf(checkout), args, { input: JSON.stringify(object) });
}

/** With the images that are on the node, the volumes that it has, and no routes beside those of local-kind. */
async function install(chart: string) {
  const images = await listImages();
  const values = {
    images,
    namespace: { create: false },
    infrastructure: { storage: { className: 'wealist-data' }, s3: { enabled: false } },
    ingress: { enabled: false },
  };
  await exec(
    join(checkout.root, '.wealist/bin/helm'),
    [
      ...['upgrade', '--install', chart, join(checkout.root, 'helm/charts', chart), `--namespace=${where}`],
      `--kubeconfig=${kubeconfigOf(checkout)}`,
      ...[...filesOf('dev'), '-'].map((file) => `--values=${file}`),
    ],
    { input: JSON.stringify(values) },
  );
}

async function listImages(): Promise<Readonly<Record<string, string>>> {
  const pods = await listObjects(checkout, 'pods', `--namespace=${namespace}`);
  const containers = pods.flatMap(({ spec }) => spec.containers);
  return Object.fromEntries(containers.map(({ name, image }) => [name, image]));
}
