import { expect, test } from 'vitest';
import { describeIntercept, findInterceptMark, isIntercepted } from '../../src/diagnosis/intercept.ts';
import { interceptAnnotation } from '../../src/lib/labels.ts';
import { findProcess } from '../../src/lib/processes.ts';
import { giveBackServices } from '../../src/steps/give-back-services.ts';
import {
  claimService,
  restartOwnPods,
  routeToAgent,
  routeToPods,
} from '../../src/steps/intercept-service.ts';
import { startAgent } from '../../src/steps/start-agent.ts';
import { createServiceCluster, place } from '../fakes/service-cluster.ts';

const { signal } = new AbortController();
const run = { signal, report: () => {} };

/** This process, and one that has ended. */
const alive = {
  pid: process.pid,
  started: (await findProcess(process.pid))?.started ?? '',
  command: 'go run .',
};
const dead = { ...alive, started: 'an earlier process of the same PID' };

type Cluster = ReturnType<typeof createServiceCluster>;

const startAgentOf = (cluster: Cluster) =>
  startAgent({ ...cluster.deps, port: 8000, findImage: async () => 'base:1', program: 'agent' }).apply(run);

/** A cluster whose service is intercepted by this process or a dead one. */
async function intercepted(mark: typeof alive): Promise<Cluster> {
  const cluster = createServiceCluster();
  await startAgentOf(cluster);
  await routeToAgent(cluster.deps, mark, signal);
  cluster.requests.length = 0;
  return cluster;
}

test('the Service routes to the agent, once no node routes to its own pods, and notes what was before', async () => {
  const cluster = createServiceCluster();
  await startAgentOf(cluster);
  await routeToAgent(cluster.deps, alive, signal);
  expect(isIntercepted(cluster.service())).toBe(true);
  expect(findInterceptMark(cluster.service())).toEqual({ ...alive, instance: 'board-service' });
  expect(cluster.unrouted).toEqual([['10.0.0.1']]);
});

test('endpoints that do not follow the Service are a failure', async () => {
  const cluster = createServiceCluster();
  await startAgentOf(cluster);
  cluster.follows = false;
  await expect(routeToAgent({ ...cluster.deps, endpointTimeout: 1 }, alive, signal)).rejects.toMatchObject({
    message: 'Service board-service does not route to pod board-service-intercept',
    exitCode: 8,
  });
});

test('routed to its pods, the Service is what it was', async () => {
  const cluster = createServiceCluster();
  const before = cluster.service();
  await startAgentOf(cluster);
  await routeToAgent(cluster.deps, alive, signal);
  await routeToPods(cluster.deps, signal);
  expect(cluster.service()).toEqual({ ...before, metadata: { ...before.metadata, annotations: {} } });
  expect(cluster.unrouted.at(-1)).toEqual(['10.0.0.2']);
});

test('a second run keeps the original that a dead one has noted', async () => {
  const cluster = await intercepted(dead);
  await routeToAgent(cluster.deps, alive, signal);
  expect(findInterceptMark(cluster.service())).toEqual({ ...alive, instance: 'board-service' });
});

test('without a readable note the Service selects by its own name', async () => {
  const cluster = await intercepted(dead);
  cluster.change('services', { metadata: { annotations: { [interceptAnnotation]: '{"pid": "none"' } } });
  expect(findInterceptMark(cluster.service())).toBeUndefined();
  await routeToPods(cluster.deps, signal);
  expect(cluster.service().spec.selector).toEqual({
    'app.kubernetes.io/name': 'board-service',
    'app.kubernetes.io/instance': 'board-service',
  });
});

test('a service that another process intercepts is refused, with who holds it', async () => {
  const cluster = await intercepted(alive);
  await expect(claimService(cluster.deps, signal)).rejects.toMatchObject({
    message: `board-service is intercepted by PID ${process.pid} (go run .)`,
    exitCode: 10,
  });
  expect(cluster.requests).toEqual([]);
});

test('what a dead process has left is given back before the service is intercepted again', async () => {
  const cluster = await intercepted(dead);
  await claimService(cluster.deps, signal);
  expect(isIntercepted(cluster.service())).toBe(false);
});

test('a service that is not deployed', async () => {
  const cluster = createServiceCluster();
  cluster.objects.clear();
  await expect(claimService(cluster.deps, signal)).rejects.toMatchObject({
    message: 'board-service is not deployed',
    exitCode: 8,
  });
});

test('an agent is created with what it needs, in place of one that was left', async () => {
  const cluster = createServiceCluster();
  await startAgentOf(cluster);
  const kinds = ['serviceaccounts', 'roles', 'rolebindings', 'networkpolicies', 'pods'];
  expect(cluster.requests).toEqual([
    'DELETE pods/board-service-intercept',
    ...kinds.map((each) => `POST ${each}`),
  ]);
  expect(cluster.pods()).toEqual(['board-service-a', 'board-service-intercept']);
  await startAgentOf(cluster);
  expect(cluster.pods()).toEqual(['board-service-a', 'board-service-intercept']);
});

test('the agent may change the one Service, and nothing else', async () => {
  const cluster = createServiceCluster();
  await startAgentOf(cluster);
  const [, role] = [...cluster.objects].find(([path]) => path.includes('/roles/')) ?? [];
  expect(role).toMatchObject({
    rules: [{ apiGroups: [''], resources: ['services'], resourceNames: ['board-service'], verbs: ['patch'] }],
  });
});

test('new pods of the service come by a rolling restart', async () => {
  const cluster = createServiceCluster();
  await restartOwnPods(cluster.deps, signal);
  expect(cluster.deployment().spec.template).toMatchObject({
    metadata: { annotations: { 'wealist.local/restarted': expect.any(String) } },
  });
});

test.each([
  ['of a dead process is given back', dead, false, false],
  ['of a running process stays', alive, false, true],
  ['of a running process is taken with --repair', alive, true, false],
] as const)('up: the service %s', async (_, mark, all, stays) => {
  const cluster = await intercepted(mark);
  const step = giveBackServices({ namespace: place.namespace, all, connect: async () => cluster.deps });
  expect(await step.isDone?.(run)).toBe(stays ? 'none to give back' : false);
  await step.apply(run);
  expect(isIntercepted(cluster.service())).toBe(stays);
  expect(cluster.pods().includes('board-service-intercept')).toBe(stays);
  expect(findInterceptMark(cluster.service()) !== undefined).toBe(stays);
});

test('status says who intercepts', () => {
  expect(describeIntercept({ pid: 4711, command: 'go run ./cmd/api' })).toBe(
    'intercepted by this machine (go run ./cmd/api, PID 4711)',
  );
});
