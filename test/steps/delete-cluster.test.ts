import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findCluster, requireOwn } from '../../src/cluster/ownership.ts';
import { deleteCluster } from '../../src/steps/delete-cluster.ts';
import { createKindEngine } from '../fakes/kind-engine.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const { signal } = new AbortController();
const run = { signal, report: () => {} };
const nodes = ['wealist-control-plane', 'wealist-worker'];

async function makeWorld({ owners = ['mine', 'mine'] as readonly (string | undefined)[] } = {}) {
  const engine = createKindEngine();
  for (const [at, name] of nodes.entries()) engine.add(name, { cluster: 'wealist', owner: owners[at] });
  engine.add('wealist-2-control-plane', { cluster: 'wealist-2', owner: 'mine' });
  engine.add('postgres', {});
  const kubeconfig = join(await makeTemporaryFolder(), 'kubeconfig');
  await writeFile(kubeconfig, '{}');
  const found = await findCluster(engine.docker, 'wealist', signal);
  if (!found) throw new Error('there is no cluster');
  const step = deleteCluster(engine, found, { checkoutId: 'mine', kubeconfig });
  const hasKubeconfig = () =>
    access(kubeconfig).then(
      () => true,
      () => false,
    );
  return { engine, found, step, hasKubeconfig };
}

test("removes the cluster's nodes, running or not, and its kubeconfig, but no other container", async () => {
  const { engine, step, hasKubeconfig } = await makeWorld();
  engine.set('wealist-worker', { state: 'exited' });
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect(engine.names()).toEqual(['wealist-2-control-plane', 'postgres']);
  expect(await hasKubeconfig()).toBe(false);
  expect(await step.isDone?.(run)).toBe('not found');
  await step.apply(run);
});

test.each<[string, readonly (string | undefined)[], string]>([
  ['of another checkout', ['theirs', 'theirs'], 'cluster wealist belongs to another checkout'],
  ['of another tool', [undefined, undefined], 'cluster wealist was not created by wealist-local'],
  ['with a node of another tool', ['mine', undefined], 'cluster wealist was not created by wealist-local'],
  ['with a node of another checkout', ['mine', 'theirs'], 'cluster wealist was not created by'],
])('a cluster %s is preserved, whatever was found before', async (_, owners, message) => {
  const { engine, step, hasKubeconfig } = await makeWorld();
  // The cluster was recreated by another checkout or tool after it was found.
  for (const [at, name] of nodes.entries()) engine.set(name, { owner: owners[at] });
  await expect(step.apply(run)).rejects.toMatchObject({
    message: expect.stringContaining(message),
    exitCode: 9,
  });
  expect(engine.names()).toHaveLength(4);
  expect(await hasKubeconfig()).toBe(true);
});

test('a checkout without an ID does not own a cluster without an owner', async () => {
  const { found } = await makeWorld();
  expect(() => requireOwn({ ...found, owner: undefined }, undefined)).toThrow('was not created by');
  requireOwn(found, 'mine');
});

test('a cluster has the state of its nodes, the control plane first', async () => {
  const { engine } = await makeWorld();
  engine.set('wealist-worker', { state: 'paused' });
  expect(await findCluster(engine.docker, 'wealist', signal)).toMatchObject({
    ...{ name: 'wealist', owner: 'mine', state: 'paused', httpPort: 80, httpsPort: 443 },
    nodes: nodes.map((name) => ({ name })),
  });
  expect(await findCluster(engine.docker, 'weal', signal)).toBeUndefined();
});
