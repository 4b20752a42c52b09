import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planUp } from '../../src/plans/up.ts';
import type { UpChoice, UpDeps } from '../../src/plans/up-deps.ts';
import { isDeployStep } from '../../src/steps/deploy-release.ts';
import { environment } from '../fakes/app.ts';

/** Making a plan calls none of these, so they can be empty. */
const deps = {
  paths: { checkout: join(import.meta.dirname, '../..'), state: '/s', cache: '/c', data: '/d' },
  toolchain: { nodes: {} },
  tools: [],
} as unknown as UpDeps;

const cluster = { name: 'wealist', httpPort: 80, httpsPort: 443, nodes: [], extras: [], lacking: [] };
const choice: UpChoice = {
  selection: { services: ['auth-service'], infrastructure: ['redis'] },
  cluster,
  controller: 'traefik',
  fromSource: new Set(),
  removedExtras: [],
  repairs: false,
  checkoutId: '0',
  podSecurity: 'restricted',
  secrets: undefined,
};

/** The plan's stages from the services on, and its images. */
function describePlan(change: Partial<UpChoice>) {
  const plan = planUp(environment, deps, { ...choice, ...change });
  const from = plan.findIndex(({ title }) => title === 'Services');
  return {
    end: plan
      .slice(from)
      .map(({ title, steps }) => `${title}: ${steps.map((step) => step.title).join(', ')}`),
    images: plan[0]?.steps.map(({ title }) => title.replace('image ', '')) ?? [],
  };
}

test('without extras nothing is added', () => {
  expect(describePlan({})).toEqual({
    end: [
      'Services: wealist-infrastructure ready, ingress-traefik ready, auth-service',
      'Responses through the ingress: responses through the ingress, network policies probed',
    ],
    images: ['node', 'redis', 'traefik', 'service-base'],
  });
});

test('an extra follows the services, with its images except those that are lacking', () => {
  const { end, images } = describePlan({
    cluster: { ...cluster, extras: ['monitoring'], lacking: ['grafana'] },
  });
  expect(end).toEqual([
    'Services: wealist-infrastructure ready, ingress-traefik ready, auth-service',
    'Extras: wealist-monitoring',
    'Responses through the ingress: responses through the ingress, network policies probed',
  ]);
  expect(images).toEqual(['node', 'redis', 'traefik', 'service-base', 'prometheus', 'log-shipper', 'loki']);
});

test('a removed extra comes last, its namespace after its releases', () => {
  const { end, images } = describePlan({ removedExtras: ['monitoring'] });
  expect(end.slice(-2)).toEqual([
    'Remove monitoring: remove wealist-monitoring',
    'Remove monitoring: delete namespace monitoring',
  ]);
  expect(images).not.toContain('prometheus');
});

test('monitoring expects metrics of each service but an own frontend, which has none', async () => {
  const expectedOf = async (fromSource: ReadonlySet<string>) => {
    const services = ['auth-service', 'frontend'];
    const [auth] = Object.values(environment.services);
    const own = { ...environment, services: { 'auth-service': auth, frontend: auth } } as typeof environment;
    const reading = {
      ...deps,
      chain: { find: async (name: string) => ({ name, reference: `${name}:1` }) },
      releases: async () => [],
    } as unknown as UpDeps;
    const wanted = { ...choice, fromSource, cluster: { ...cluster, extras: ['monitoring'] } };
    const plan = planUp(own, reading, { ...wanted, selection: { services, infrastructure: [] } });
    const step = plan
      .flatMap(({ steps }) => steps)
      .filter(isDeployStep)
      .find(({ source }) => source.release === 'wealist-monitoring');
    const values = (await step?.source.values()) as { monitoring?: { expected?: readonly string[] } };
    return values.monitoring?.expected;
  };
  expect(await expectedOf(new Set())).toEqual(['auth-service', 'frontend']);
  expect(await expectedOf(new Set(['auth-service', 'frontend']))).toEqual(['auth-service']);
});
