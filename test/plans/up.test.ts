import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadEnvironment } from '../../src/config/load.ts';
import { planUp } from '../../src/plans/up.ts';
import type { UpChoice, UpDeps } from '../../src/plans/up-deps.ts';
import { isDeployStep } from '../../src/steps/deploy-release.ts';

const checkout = join(import.meta.dirname, '../..');
const environment = await loadEnvironment({ checkout, name: 'local-kind' });
const all = Object.keys(environment.services);

/** Making a plan calls none of these, so they can be empty. */
const deps = {
  paths: { checkout, state: '/s', cache: '/c', data: '/d' },
  toolchain: { nodes: {} },
  tools: [],
} as unknown as UpDeps;

const choice: UpChoice = {
  selection: { services: all, infrastructure: ['postgres', 'redis', 's3'] },
  cluster: { name: 'wealist', httpPort: 80, httpsPort: 443, nodes: [], extras: [], lacking: [] },
  controller: 'traefik',
  fromSource: new Set(['user-service']),
  removedExtras: [],
  repairs: false,
  checkoutId: '0',
  podSecurity: 'restricted',
  secrets: undefined,
};

const stageOf = (title: string) => {
  const stage = planUp(environment, deps, choice).find((each) => each.title === title);
  if (!stage) throw new Error(`no stage ${title}`);
  return stage;
};

test('an own program is deployed after what it needs, a stand-in at once', () => {
  const { steps } = stageOf('Services');
  expect(steps.map(({ title }) => title)).toEqual([
    'wealist-infrastructure ready',
    'ingress-traefik ready',
    ...all,
  ]);
  const waiting = steps.filter(({ beginsAfterNeeds }) => beginsAfterNeeds).map(({ title }) => title);
  expect(waiting).toEqual(['user-service']);
});

test('each service needs the infrastructure, and the services that the table says', () => {
  const { steps } = stageOf('Services');
  const needsOf = (title: string) => steps.find((step) => step.title === title)?.needs;
  expect(needsOf('user-service')).toEqual(
    expect.arrayContaining(['wealist-infrastructure ready', 'auth-service']),
  );
  expect(needsOf('frontend')).toEqual(expect.arrayContaining(all.filter((name) => name !== 'frontend')));
});

test('the shared configuration is deployed before any service, and nothing waits for it to be ready', () => {
  const titles = planUp(environment, deps, choice).map(({ title }) => title);
  expect(titles.indexOf('Ingress and infrastructure')).toBeLessThan(titles.indexOf('Services'));
  const steps = stageOf('Ingress and infrastructure').steps.filter(isDeployStep);
  expect(steps.map(({ source }) => source)).toMatchObject([
    { release: 'ingress-traefik', onlyApplies: true },
    { release: 'wealist-infrastructure', onlyApplies: true },
  ]);
});
