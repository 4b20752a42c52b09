import { expect, test } from 'vitest';
import { defineService } from '../../services/common/service.ts';
import { fakeDependency } from '../fakes/dependency.ts';
import { startTested } from './start.ts';

/** In the module that asks a service for the page; config.js's variable says where the service is. */
async function requestFromPage(apiBaseUrl: string, description = '/') {
  Object.assign(globalThis, { __ENV__: { API_BASE_URL: apiBaseUrl } });
  // A module of the browser: it has no types.
  const path = '../../services/frontend/public/service-status.js';
  const { getServiceStatus } = await import(path);
  return getServiceStatus({ name: 'x', address: '/', description, ready: '/health/ready' });
}

const sample = (store = fakeDependency('postgres')) =>
  defineService({ name: 'x', port: 1, connect: () => ({ store }), routes: () => [] });

test('a service that is ready', async () => {
  const { url } = await startTested(sample());
  expect(await requestFromPage(url)).toMatchObject({
    state: 'ready',
    latency: expect.any(Number),
    description: { version: 'development', sourceHash: 'unbundled', dependencies: [{ name: 'postgres' }] },
  });
});

test('one that waits for its database, and one that still holds its reply', async () => {
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

test('a real one, which has no description', async () => {
  const { url } = await startTested(sample());
  expect(await requestFromPage(url, '/nothing')).toMatchObject({ state: 'ready', description: {} });
});

test('none at all', async () => {
  const { url, stop } = await startTested(sample());
  await stop();
  expect(await requestFromPage(url)).toMatchObject({
    state: 'unreachable',
    problem: 'The connection was refused or lost.',
  });
});
