import { afterAll, beforeAll, describe, expect } from 'vitest';
import { kubectl, listObjects, namespace } from './cluster.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const target = `--namespace=${namespace}`;
let putBack: () => Promise<void>;

beforeAll(async () => {
  // Down at once, where an autoscaler otherwise waits for five minutes.
  const settings = `
  user-service:
    resources: { requests: { cpu: 50m } }
    autoscaling:
      enabled: true
      minReplicas: 2
      maxReplicas: 4
      behavior: { scaleDown: { stabilizationWindowSeconds: 10 } }
`;
  putBack = await checkout.edit('helm/environments/local-kind.yaml', (text) =>
    text.replace(/^services:\n/m, `services:${settings}`),
  );
  await checkout.up('--with=metrics');
});

afterAll(async () => {
  await putBack?.();
  await checkout.up('--without=metrics');
});

/** The replicas that the autoscaler wants now. */
async function readWanted(): Promise<number> {
  const { stdout } = await kubectl(
    checkout,
    'get',
    'horizontalpodautoscaler/user-service',
    target,
    '--output=jsonpath={.status.desiredReplicas}',
  );
  return Number(stdout || 0);
}

async function countPods(): Promise<number> {
  return (await listObjects(checkout, 'pods', target, '--selector=app=user-service')).length;
}

describe('up --with=metrics', () => {
  test('what pods use is known', async () => {
    const used = async () =>
      (await kubectl(checkout, 'top', 'pods', target, '--no-headers').catch(() => undefined))?.stdout;
    await expect.poll(used, { timeout: 90_000 }).toMatch(/^user-service-\S+ +\d+m +\d+Mi/m);
    expect(await countPods()).toBe(2);
  });

  test(
    'a load scales a service up, and its end scales it back',
    async () => {
      const burn = 'const end = Date.now() + 90_000; while (Date.now() < end);';
      const pods = await listObjects(checkout, 'pods', target, '--selector=app=user-service');
      const load = pods.map(({ metadata }) =>
        // It may end with its pod.
        kubectl(checkout, 'exec', metadata.name, target, '--', 'node', '--eval', burn).catch(() => undefined),
      );
      await expect.poll(readWanted, { timeout: 150_000, interval: 2_000 }).toBeGreaterThan(2);
      await expect.poll(countPods, { timeout: 60_000, interval: 1_000 }).toBeGreaterThan(2);
      await Promise.all(load);
      await expect.poll(readWanted, { timeout: 180_000, interval: 2_000 }).toBe(2);
      await expect.poll(countPods, { timeout: 60_000, interval: 1_000 }).toBe(2);
    },
    10 * 60_000,
  );

  test('--without=metrics takes it away with its API, which would otherwise hold up every namespace', async () => {
    await putBack();
    await checkout.up('--without=metrics');
    const services = await kubectl(checkout, 'get', 'apiservices', '--output=name');
    expect(services.stdout).not.toContain('metrics.k8s.io');
    expect(await listObjects(checkout, 'namespaces')).not.toContainEqual(
      expect.objectContaining({ metadata: expect.objectContaining({ name: 'metrics' }) }),
    );
  });
});
