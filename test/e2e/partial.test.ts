import { beforeAll, describe, expect } from 'vitest';
import { listObjects, listUnreadyPods, namespace, ours, readReleases } from './cluster.ts';
import { request } from './ingress.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
let origin = '';

beforeAll(async () => {
  await checkout.run('down');
  origin = (await checkout.up('auth-service')).addresses[0]?.url ?? '';
});

describe('up auth-service', () => {
  test('brings up that service with what it needs, and nothing else', async () => {
    expect(Object.keys(await readReleases(checkout)).toSorted()).toEqual([
      'auth-service',
      'ingress-traefik',
      'wealist-infrastructure',
    ]);
    const pods = await listObjects(checkout, 'pods', `--namespace=${namespace}`);
    const names = pods.map(({ metadata }) => metadata.labels?.['app.kubernetes.io/name']);
    expect(names).toEqual(expect.arrayContaining(['auth-service', 'redis']));
    expect(names).not.toContain('postgres');
    expect(await listUnreadyPods(checkout, ...ours)).toEqual([]);
    expect(await request(`${origin}svc/auth/health/ready`)).toMatchObject({ status: 200 });
  });

  test('again: nothing to do', async () => {
    expect(await checkout.up('auth-service')).toMatchObject({ changed: false });
  });

  test('after the rest is up, it takes nothing away', async () => {
    await checkout.up();
    const before = await readReleases(checkout);
    expect(await checkout.up('auth-service')).toMatchObject({ changed: false });
    expect(await readReleases(checkout)).toEqual(before);
    expect(await request(`${origin}svc/video/health/ready`)).toMatchObject({ status: 200 });
  });
});
