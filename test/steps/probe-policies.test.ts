import { expect, test } from 'vitest';
import { findPolicyRecord } from '../../src/cluster/network-policies.ts';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { CommandFailure } from '../../src/lib/failure.ts';
import { probePolicies } from '../../src/steps/probe-policies.ts';
import { makeNode, makePod, now, ready } from '../fakes/cluster-objects.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const namespace = 'wealist-kind-local';
const run = { signal: new AbortController().signal, report: () => {} };

const node = {
  ...makeNode(),
  metadata: { ...makeNode().metadata, labels: { 'node-role.kubernetes.io/control-plane': '' } },
};
const policy = {
  kind: 'NetworkPolicy',
  metadata: { name: 'default-deny', namespace, uid: 'uid-policy', creationTimestamp: '' },
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
};
const component = (name: string, podIP: string, port: number) =>
  makePod(`${name}-1`, name, {
    conditions: ready,
    podIP,
    labels: { 'app.kubernetes.io/part-of': 'wealist', 'app.kubernetes.io/name': name },
    spec: { containers: [{ name, image: 'x', ports: [{ containerPort: port }] }] },
  });
const pods = [component('redis', '10.244.0.3', 6379), component('auth-service', '10.244.1.4', 8080)];

async function makeWorld(objects: Parameters<typeof createSnapshot>[1], denied: number) {
  const paths = { state: await makeTemporaryFolder() };
  const dockerCli = {
    // A connection from a pod has one more argument than one from the node.
    async exec(_: string, argv: readonly string[]) {
      const status = argv.length > 5 ? denied : 0;
      if (status === 0) return { stdout: '', stderr: '' };
      throw new CommandFailure('ended', { argv, status, stdout: '', stderr: '' });
    },
  };
  const snapshots = { take: async () => createSnapshot(now, objects) };
  return { step: probePolicies({ snapshots, dockerCli, paths, namespace }), paths };
}

test.each([
  ['refused', 124, 'enforced'],
  ['accepted', 0, 'not enforced'],
])('a denied connection that is %s: recorded, and not tested again', async (_, status, state) => {
  const { step, paths } = await makeWorld([node, policy, ...pods], status);
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect((await findPolicyRecord(paths))?.enforced).toBe(state === 'enforced');
  expect(await step.isDone?.(run)).toBe(state);
});

test('nothing is recorded while no pair of pods is ready', async () => {
  const { step, paths } = await makeWorld([node, policy], 124);
  await step.apply(run);
  expect(await findPolicyRecord(paths)).toBeUndefined();
  expect(await step.isDone?.(run)).toBe(false);
});

test('a namespace without policies needs no probe', async () => {
  const { step } = await makeWorld([node, ...pods], 0);
  expect(await step.isDone?.(run)).toBe('none');
});
