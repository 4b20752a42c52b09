import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { Failure } from '../../src/lib/failure.ts';
import { deployRelease } from '../../src/steps/deploy-release.ts';
import { removeRelease } from '../../src/steps/remove-release.ts';
import { OutageFailure } from '../../src/tools/helm.ts';
import { ApiFailure, type ApiServer } from '../../src/tools/kubernetes/api-server.ts';
import type { Kubectl } from '../../src/tools/kubernetes/kubectl.ts';
import { createFakeHelm } from '../fakes/helm.ts';

type History = readonly (readonly [revision: number, status: string])[];

function makeWorld(history: History) {
  const fake = createFakeHelm(history.map(([revision, status]) => ({ revision, status })));
  const reports: string[] = [];
  const run = { signal: new AbortController().signal, report: (line: string) => reports.push(line) };
  const snapshots = { take: async () => createSnapshot(0, []) };
  const deploy = deployRelease({
    checkout: join(import.meta.dirname, '../..'),
    namespace: 'wealist',
    release: 'redis',
    chart: 'wealist-common',
    valuesFiles: [],
    outageInterval: 1,
    values: async () => ({}),
    toolchain: { helm: fake.helm, kubectl: {} as Kubectl },
    snapshots,
    releases: fake.releases,
    openApi: async () => ({}) as ApiServer,
  });
  const remove = removeRelease('redis', 'wealist', fake);
  return { ...fake, deploy, remove, run, reports, snapshots };
}

const upTo = (count: number, status: string): History =>
  Array.from({ length: count }, (_, at) => [at + 1, at + 1 === count ? status : 'superseded']);

const states: readonly (readonly [string, History, readonly string[]])[] = [
  ['not found', [], ['upgrade']],
  ['deployed', [[1, 'deployed']], ['upgrade']],
  ['failed at its first revision', [[1, 'failed']], ['upgrade']],
  ['failed', [...upTo(1, 'deployed'), [2, 'failed']], ['upgrade']],
  ['superseded', [[1, 'superseded']], ['upgrade']],
  ['pending-install', [[1, 'pending-install']], ['uninstall', 'upgrade']],
  [
    'pending-install over a history',
    [
      [1, 'uninstalled'],
      [2, 'pending-install'],
    ],
    ['uninstall', 'upgrade'],
  ],
  ['pending-upgrade', [...upTo(1, 'deployed'), [2, 'pending-upgrade']], ['rollback', 'upgrade']],
  ['pending-rollback', [...upTo(2, 'failed'), [3, 'pending-rollback']], ['rollback', 'upgrade']],
  [
    'pending-upgrade without the previous revision',
    [[7, 'pending-upgrade']],
    ['rollback', 'uninstall', 'upgrade'],
  ],
  ['uninstalling', [[1, 'uninstalling']], ['uninstall', 'upgrade']],
  ['uninstalling with a history', upTo(3, 'uninstalling'), ['uninstall', 'upgrade']],
  ['uninstalled with a history', upTo(3, 'uninstalled'), ['uninstall', 'upgrade']],
  ['uninstalled with a long history', upTo(10, 'uninstalled'), ['uninstall', 'upgrade']],
  ['unknown', [[1, 'unknown']], ['uninstall', 'upgrade']],
];

test.each(states)('a release that is %s is deployed', async (_, history, calls) => {
  const world = makeWorld(history);
  expect(await world.deploy.isDone?.(world.run)).toBe(false);
  await world.deploy.apply(world.run);
  expect(world.calls).toEqual(calls);
  expect(world.status()).toBe('deployed');
});

test.each(states.slice(1))('a release that is %s is removed', async (_, history) => {
  const world = makeWorld(history);
  expect(await world.remove.isDone?.(world.run)).toBe(false);
  await world.remove.apply(world.run);
  expect(world.status()).toBeUndefined();
  expect(await world.remove.isDone?.(world.run)).toBe('not found');
});

test('an interrupted uninstallation is reported as what it was', async () => {
  const { deploy, run, reports } = makeWorld([[1, 'uninstalling']]);
  await deploy.apply(run);
  expect(reports).toContain('release redis was left uninstalling: uninstalling it');
});

test('a rollback that failed after it began is followed by an upgrade', async () => {
  const world = makeWorld([...upTo(1, 'deployed'), [2, 'pending-upgrade']]);
  const { rollback } = world.helm;
  world.helm.rollback = async (...args) => {
    await rollback(...args);
    throw new Failure('helm refused release redis');
  };
  await world.deploy.apply(world.run);
  expect(world.calls).toEqual(['rollback', 'upgrade']);
});

test('while the API server restarts the deployment is repeated, and what helm left is settled', async () => {
  const world = makeWorld([[1, 'deployed']]);
  const { upgrade } = world.helm;
  let failures = 0;
  world.helm.upgrade = async (...args) => {
    failures += 1;
    if (failures > 2) return upgrade(...args);
    throw new OutageFailure('helm refused release redis', { cause: 'connect: connection refused' });
  };
  await world.deploy.apply(world.run);
  expect(world.status()).toBe('deployed');
  expect(world.reports).toContain('the cluster does not respond');
});

test('one that begins after helm has ended is waited out as well', async () => {
  const world = makeWorld([]);
  let asked = 0;
  world.snapshots.take = async () => {
    asked += 1;
    // The first is that before the deployment.
    if (asked === 2) throw new ApiFailure('the cluster does not respond', { cause: 'connect ECONNREFUSED' });
    return createSnapshot(0, []);
  };
  await world.deploy.apply(world.run);
  expect(asked).toBeGreaterThan(2);
  expect(world.status()).toBe('deployed');
});

test('any other failure of helm is not repeated', async () => {
  const world = makeWorld([]);
  let attempts = 0;
  world.helm.upgrade = async () => {
    attempts += 1;
    throw new Failure('helm refused release redis', { cause: 'field is immutable' });
  };
  await expect(world.deploy.apply(world.run)).rejects.toThrow('helm refused release redis');
  expect(attempts).toBe(1);
});
