import { expect, test } from 'vitest';
import { defineService } from '../../services/common/service.ts';
import { fakeDependency } from '../fakes/dependency.ts';
import { startTested } from './start.ts';

/** Calls the page's module. The variable of config.js has the URL of the service. */
async function requestFromPage(apiBaseUrl: string, description = '/') {
  Object.assign(globalThis, { __ENV__: { API_BASE_URL: apiBaseUrl } });
  // A browser module, which has no types.
  const path = '../../services/frontend/public/service-status.js';
  const { getServiceStatus } = await import(path);
  return getServiceStatus({ name: 'x', address: '/', description, ready: '/health/ready' });
}

const sample = (store = fakeDependency('postgres')) =>
  defineService({ name: 'x', connect: () => ({ store }), routes: () => [] });

test('a service that is ready', async () => {
  const { url } = await startTested(sample());
  expect(await requestFromPage(url)).toMatchObject({
    state: 'ready',
    latency: expect.any(Number),
    description: { version: 'development', sourceHash: 'unbundled', dependencies: [{ name: 'postgres' }] },
  });
});

test('one that is waiting for its database, and one whose readiness reply is delayed', async () => {
  const waiting = await startTested(sample(fakeDependency('postgres', 'down')), { readinessTimeout: 10 });
  expect(await requestFromPage(waiting.url)).toMatchObject({
    state: 'waiting',
    problem: 'Waiting for postgres.',
  });
  const holding = await startTested(sample(fakeDependency('postgres', 'down')), { readinessTimeout: 60_000 });
  expect(await requestFromPage(holding.url)).toMatchObject({
    state: 'waiting',
    problem: 'Waiting for postgres.',
  });
});

test('a real service, which has no description', async () => {
  const { url } = await startTested(sample());
  expect(await requestFromPage(url, '/nothing')).toMatchObject({ state: 'ready', description: {} });
});

test('a stopped service', async () => {
  const { url, stop } = await startTested(sample());
  await stop();
  expect(await requestFromPage(url)).toMatchObject({
    state: 'unreachable',
    problem: 'The connection was refused or lost.',
  });
});
