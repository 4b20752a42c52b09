import { expect, test } from 'vitest';
import type { Application } from '../../src/diagnosis/applications.ts';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { syncApplications } from '../../src/steps/sync-applications.ts';
import type { Kubectl } from '../../src/tools/kubernetes/kubectl.ts';
import { makeDeployment, makePod, makeStatus } from '../fakes/cluster-objects.ts';

const revision = 'abcdef0123456789';
const run = { signal: new AbortController().signal, report: (_line: string) => {} };
const limits = { timeout: 30_000, retryTimeout: 30_000, interval: 5 };
const toRoot = (values: object) => ({
  metadata: { name: 'wealist-try-out', namespace: 'argocd' },
  spec: { values },
});

type Status = NonNullable<Application['status']>;
const ready: Status = { sync: { status: 'Synced', revision }, health: { status: 'Healthy' } };

/** A fake of Argo CD: on a refresh it changes each Application as `react` says. */
function createArgoCd(react: (name: string, look: number) => Status | undefined) {
  const applications = new Map<string, { metadata: Application['metadata']; status?: Status }>();
  const looks = new Map<string, number>();
  let told = 0;
  const kubectl: Kubectl = {
    command: ['kubectl'],
    async apply(text) {
      const { metadata } = JSON.parse(text);
      applications.set(metadata.name, { ...applications.get(metadata.name), metadata });
      if (!applications.has('user-service')) {
        applications.set('user-service', { metadata: { name: 'user-service' } });
      }
    },
    async run(args) {
      if (args[0] === 'annotate') {
        told += 1;
        for (const each of applications.values()) {
          const annotations = { ...each.metadata.annotations, 'argocd.argoproj.io/refresh': 'normal' };
          each.metadata = { ...each.metadata, annotations };
        }
      }
      return '';
    },
    async getJson<T>() {
      const items = structuredClone([...applications.values()]);
      // It reacts only after the request has returned.
      for (const [name, each] of applications) {
        const look = (looks.get(name) ?? 0) + 1;
        looks.set(name, look);
        const { 'argocd.argoproj.io/refresh': _, ...annotations } = each.metadata.annotations ?? {};
        const status = react(name, look);
        applications.set(name, {
          metadata: { ...each.metadata, annotations },
          ...(status ? { status } : {}),
        });
      }
      return { items } as T;
    },
    logs: async () => '',
  };
  return { kubectl, applications, told: () => told };
}

interface Cluster {
  readonly objects?: Parameters<typeof createSnapshot>[1];
  /** The Git server's latest commit. */
  readonly head?: string | undefined;
  readonly limits?: Partial<typeof limits>;
}

function makeStep(kubectl: Kubectl, values: object = {}, cluster: Cluster = {}) {
  const { objects = [], head, ...own } = { head: revision, ...cluster };
  return syncApplications({
    kubectl,
    snapshots: { take: async () => createSnapshot(Date.now(), objects) },
    server: { findHead: async () => head },
    root: async () => toRoot(values),
    names: ['user-service'],
    target: 'wealist-dev',
    limits: { ...limits, ...own.limits },
  });
}

test('Argo CD is refreshed, and waited for until all Applications are synced and healthy', async () => {
  const { kubectl, told } = createArgoCd((_, look) =>
    look < 3 ? { sync: { status: 'OutOfSync', revision } } : ready,
  );
  const step = makeStep(kubectl);
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect(told()).toBe(1);
  expect(await step.isDone?.(run)).toBe('synced and healthy');
});

test('other values change the Application', async () => {
  const { kubectl } = createArgoCd(() => ready);
  await makeStep(kubectl, { images: { a: '1' } }).apply(run);
  expect(await makeStep(kubectl, { images: { a: '1' } }).isDone?.(run)).toBe('synced and healthy');
  expect(await makeStep(kubectl, { images: { a: '2' } }).isDone?.(run)).toBe(false);
});

test('an error from which Argo CD recovers is no failure', async () => {
  const error = { conditions: [{ type: 'ComparisonError', message: 'connection refused' }] };
  const { kubectl } = createArgoCd((_, look) => (look < 4 ? error : ready));
  await makeStep(kubectl).apply(run);
});

test('an error that lasts ends the wait with its message', async () => {
  const { kubectl } = createArgoCd((name) =>
    name === 'user-service' ? { conditions: [{ type: 'ComparisonError', message: 'no such chart' }] } : ready,
  );
  const step = makeStep(kubectl, {}, { limits: { retryTimeout: 20 } });
  await expect(step.apply(run)).rejects.toMatchObject({
    message: 'Argo CD did not sync wealist-dev',
    cause: 'user-service: ComparisonError\nno such chart',
    hint: 'npm run kubectl -- -n argocd describe application user-service',
    exitCode: 8,
  });
});

test('at the timeout the last state is reported', async () => {
  const { kubectl } = createArgoCd((name) =>
    name === 'user-service' ? { ...ready, health: { status: 'Progressing' } } : ready,
  );
  const step = makeStep(kubectl, {}, { limits: { timeout: 100 } });
  await expect(step.apply(run)).rejects.toMatchObject({
    message: 'Argo CD did not sync wealist-dev in 0.1 s',
    cause: 'user-service: progressing',
    exitCode: 8,
  });
});

test('synced to an earlier commit it is not done', async () => {
  const { kubectl } = createArgoCd(() => ready);
  await makeStep(kubectl).apply(run);
  expect(await makeStep(kubectl, {}, { head: 'fedcba9876543210' }).isDone?.(run)).toBe(false);
});

test('without a commit it fails, and nothing is applied', async () => {
  const { kubectl, applications } = createArgoCd(() => ready);
  const step = makeStep(kubectl, {}, { head: undefined });
  expect(await step.isDone?.(run)).toBe(false);
  await expect(step.apply(run)).rejects.toMatchObject({
    message: 'the Git server has no commit',
    exitCode: 8,
  });
  expect(applications.size).toBe(0);
});

test('a workload that cannot start is reported instead of its unhealthy Application', async () => {
  const { kubectl } = createArgoCd((name) =>
    name === 'user-service' ? { ...ready, health: { status: 'Progressing' } } : ready,
  );
  const labels = { 'app.kubernetes.io/instance': 'user-service' };
  const waiting = {
    reason: 'CreateContainerConfigError',
    message: 'secret "wealist-shared-secret" not found',
  };
  const pod = makePod('user-service-a', 'user-service-2', {
    containerStatuses: makeStatus({ state: { waiting } }),
  });
  const objects = [...makeDeployment('user-service', { status: { replicas: 1, updatedReplicas: 1 } }), pod];
  const here = objects.map((object) => ({
    ...object,
    metadata: { ...object.metadata, namespace: 'wealist-dev', labels },
  }));
  await expect(makeStep(kubectl, {}, { objects: here }).apply(run)).rejects.toMatchObject({
    message: expect.stringContaining('user-service did not become ready'),
    cause: 'Secret wealist-shared-secret does not exist',
    exitCode: 8,
  });
});
