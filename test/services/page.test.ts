import { expect, test } from 'vitest';
import { defineService } from '../../services/common/service.ts';
import { fakeDependency } from '../fakes/dependency.ts';
import { startTested } from './start.ts';

/** In the module that asks a service for the page; config.js's variable says where the service is. */
async function askFromPage(apiBaseUrl: string, description = '/') {
  Object.assign(globalThis, { __ENV__: { API_BASE_URL: apiBaseUrl } });
  // A module of the browser: it has no types.
  const path = '../../services/frontend/public/ask.js';
  const { ask } = await import(path);
  return ask({ name: 'x', address: '/', description, ready: '/health/ready' });
}

const sample = (store = fakeDependency('postgres')) =>
  defineService({ name: 'x', connect: () => ({ store }), routes: () => [] });

test('a service that is ready', async () => {
  const { url } = await startTested(sample());
  expect(await askFromPage(url)).toMatchObject({
    state: 'ready',
    latency: expect.any(Number),
    description: { version: 'development', sourceHash: 'unbundled', dependencies: [{ name: 'postgres' }] },
  });
});

test('one that waits for its database, and one that still holds its reply', async () => {
  const waiting = await startTested(sample(fakeDependency('postgres', 'down')), { hold: 10 });
  expect(await askFromPage(waiting.url)).toMatchObject({ state: 'waiting', problem: 'Waits for postgres.' });
  const holding = await startTested(sample(fakeDependency('postgres', 'down')), { hold: 60_000 });
  expect(await askFromPage(holding.url)).toMatchObject({ state: 'waiting', problem: 'Waits for postgres.' });
});

test('a real one, which has no description', async () => {
  const { url } = await startTested(sample());
  expect(await askFromPage(url, '/nothing')).toMatchObject({ state: 'ready', description: {} });
});

test('none at all', async () => {
  const { url, stop } = await startTested(sample());
  await stop();
  expect(await askFromPage(url)).toMatchObject({
    state: 'silent',
    problem: 'The connection was refused or broke off.',
  });
});
