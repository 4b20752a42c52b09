import { expect, test } from 'vitest';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { parseQuantity } from '../../src/lib/quantity.ts';
import { makeRoom } from '../../src/steps/make-room.ts';
import type { Kubectl } from '../../src/tools/kubernetes/kubectl.ts';
import { makeNode } from '../fakes/cluster-objects.ts';

const namespace = 'wealist-kind-local';
const run = { signal: new AbortController().signal, report: () => {} };

/** A node of 2 cores on which each service has one pod with this request, and some wait for room. */
function makeCluster(
  running: Readonly<Record<string, string>>,
  { waiting = [], wanted }: { waiting?: readonly string[]; wanted: Readonly<Record<string, string>> },
) {
  const requested = new Map(Object.entries(running));
  const patches: { readonly name: string; readonly patch: unknown }[] = [];
  const specOf = (name: string) => ({
    containers: [
      { name, image: 'x', resources: { requests: { cpu: requested.get(name) ?? '0', memory: '64Mi' } } },
    ],
  });
  const podOf = (name: string, isWaiting: boolean) => ({
    kind: 'Pod',
    metadata: {
      ...{ name: `${name}-${isWaiting ? 2 : 1}`, namespace, uid: `${name}-${isWaiting}` },
      labels: { 'app.kubernetes.io/part-of': 'wealist', 'app.kubernetes.io/name': name },
    },
    spec: { ...specOf(name), ...(isWaiting ? {} : { nodeName: 'node' }) },
    status: {
      phase: isWaiting ? 'Pending' : 'Running',
      conditions: isWaiting
        ? [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes are available: 1 Insufficient cpu.' }]
        : [],
    },
  });
  const take = async () =>
    createSnapshot(0, [
      makeNode({ cpu: '2', memory: '8Gi' }),
      ...[...requested.keys()].map((name) => ({
        kind: 'Deployment',
        metadata: { name, namespace, uid: name },
        spec: { replicas: 1, template: { spec: specOf(name) } },
        status: {},
      })),
      ...[...requested.keys()].map((name) => podOf(name, false)),
      // What waits finds room as soon as something was patched.
      ...(patches.length === 0 ? waiting : []).map((name) => podOf(name, true)),
    ] as unknown as Parameters<typeof createSnapshot>[1]);
  const kubectl = {
    async run([, , name = '', ...flags]: readonly string[]) {
      const patch = JSON.parse(flags.find((flag) => flag.startsWith('--patch='))?.slice(8) ?? '');
      patches.push({ name, patch });
      requested.set(name, patch.spec.template.spec.containers[0].resources.requests.cpu);
    },
  } as unknown as Kubectl;
  const step = makeRoom({
    ...{ kubectl, snapshots: { take }, namespace },
    requests: async () =>
      new Map(
        Object.entries(wanted).map(([name, cpu]) => [
          name,
          { cpus: parseQuantity(cpu), memory: 64 * 2 ** 20 },
        ]),
      ),
  });
  return { patches, isDone: () => step.isDone?.(run), apply: () => step.apply(run) };
}

test('where a second pod of each service fits, nothing is done', async () => {
  const cluster = makeCluster({ auth: '100m', chat: '500m' }, { wanted: { auth: '10m', chat: '10m' } });
  expect(await cluster.isDone()).toBe('new pods fit beside the old ones');
});

test('on a full node the lower requests are applied first, and the old pods end before the new ones start', async () => {
  const cluster = makeCluster(
    { auth: '100m', chat: '1890m' },
    { waiting: ['auth'], wanted: { auth: '100m', chat: '10m' } },
  );
  expect(await cluster.isDone()).toBe(false);
  await cluster.apply();
  expect(cluster.patches).toEqual([
    {
      name: 'chat',
      patch: {
        spec: {
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%', maxSurge: 0 } },
          template: {
            spec: {
              containers: [{ name: 'chat', resources: { requests: { cpu: '10m' } } }],
            },
          },
        },
      },
    },
  ]);
  expect(await cluster.isDone()).toBe('new pods fit beside the old ones');
});

test('a request that no node can satisfy is lowered by its own rollout, during which the old pod serves', async () => {
  const cluster = makeCluster(
    { auth: '100m', chat: '10m' },
    { waiting: ['chat'], wanted: { auth: '100m', chat: '10m' } },
  );
  expect(await cluster.isDone()).toBe('new pods fit beside the old ones');
});

test('a service that this run does not deploy keeps its requests', async () => {
  const cluster = makeCluster({ auth: '1000m', chat: '950m' }, { wanted: { auth: '1000m' } });
  expect(await cluster.isDone()).toBe('no service requests less than before');
});
