import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { argocdVersion, definitions } from '../../images/argocd/release.ts';
import { openStore } from '../../src/images/store/store.ts';
import { applyDefinitions } from '../../src/steps/apply-definitions.ts';
import { definitionsKey } from '../../src/steps/ensure-definitions.ts';
import { createDefinitions } from '../fakes/definitions.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const run = { signal: new AbortController().signal, report: () => {} };
const names = definitions.map(({ name }) => name);

async function makeWorld({ isKept = true } = {}) {
  const cluster = createDefinitions();
  const store = openStore(await makeTemporaryFolder());
  const text = names
    .map((name) => `kind: CustomResourceDefinition\nmetadata:\n  name: ${name}\n`)
    .join('---\n');
  if (isKept) await store.putFile(definitionsKey, (path) => writeFile(path, text));
  return { cluster, text, step: applyDefinitions({ kubectl: cluster.kubectl, store }) };
}

test('the definitions of the cached file are established and labelled with the version', async () => {
  const { cluster, step, text } = await makeWorld();
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect(cluster.applied).toEqual([text]);
  expect([...cluster.definitions.keys()]).toEqual(names);
  expect(await step.isDone?.(run)).toBe('unchanged');
});

test('it is not done with one alone, one of another version, or one that is not established', async () => {
  const { cluster, step } = await makeWorld();
  await step.apply(run);
  const [first = '', second = ''] = names;
  const kept = structuredClone(cluster.definitions.get(second));
  const set = (definition: typeof kept) => definition && cluster.definitions.set(second, definition);

  cluster.definitions.delete(second);
  expect(await step.isDone?.(run)).toBe(false);
  set({ labels: { 'wealist.local/argocd-version': '3.0.0' }, isEstablished: true });
  expect(await step.isDone?.(run)).toBe(false);
  set({ labels: { 'wealist.local/argocd-version': argocdVersion }, isEstablished: false });
  expect(await step.isDone?.(run)).toBe(false);
  set(kept);
  expect(await step.isDone?.(run)).toBe('unchanged');
  // A definition installed by other means has no label.
  cluster.definitions.set(first, { labels: {}, isEstablished: true });
  expect(await step.isDone?.(run)).toBe(false);
});

test('it waits until the definitions are established', async () => {
  const { cluster, step } = await makeWorld();
  cluster.establishes = false;
  await expect(step.apply(run)).rejects.toThrow('timed out waiting');
});

test('without the cached file it fails with the command that obtains it', async () => {
  const { cluster, step } = await makeWorld({ isKept: false });
  await expect(step.apply(run)).rejects.toMatchObject({
    message: "Argo CD's resource definitions are not in the cache",
    hint: 'npm run up -- --with argocd',
    exitCode: 7,
  });
  expect(cluster.calls).toEqual([]);
});
