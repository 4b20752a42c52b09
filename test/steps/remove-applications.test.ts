import { expect, test } from 'vitest';
import { definitions } from '../../images/argocd/release.ts';
import { removeApplications } from '../../src/steps/remove-applications.ts';
import { createDefinitions } from '../fakes/definitions.ts';

const run = { signal: new AbortController().signal, report: () => {} };
const names = definitions.map(({ name }) => name);

function makeWorld() {
  const cluster = createDefinitions();
  for (const name of names) cluster.definitions.set(name, { labels: {}, isEstablished: true });
  return { cluster, step: removeApplications(cluster.kubectl, 'argocd') };
}

test('Applications with finalizers are deleted although Argo CD no longer runs, and so are their definitions', async () => {
  const { cluster, step } = makeWorld();
  const finalizers = ['resources-finalizer.argocd.argoproj.io'];
  for (const name of ['wealist-dev', 'board-service']) cluster.applications.set(name, { finalizers });
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect([...cluster.applications.keys(), ...cluster.definitions.keys()]).toEqual([]);
  expect(await step.isDone?.(run)).toBe('not found');
});

test('also without any Application', async () => {
  const { cluster, step } = makeWorld();
  await step.apply(run);
  expect(cluster.definitions.size).toBe(0);
});

test('without the resource definitions it is done', async () => {
  const { cluster, step } = makeWorld();
  cluster.definitions.clear();
  expect(await step.isDone?.(run)).toBe('not found');
});

test('the next run removes what an interrupted one left', async () => {
  const { cluster, step } = makeWorld();
  cluster.definitions.delete('applications.argoproj.io');
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect(await step.isDone?.(run)).toBe('not found');
});
