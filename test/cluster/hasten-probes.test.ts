import { expect, onTestFinished, test } from 'vitest';
import { hastenProbes } from '../../src/cluster/hasten-probes.ts';
import { ApiFailure, type ApiServer } from '../../src/tools/api-server.ts';
import type { Pod } from '../../src/tools/kubernetes.ts';
import { makePod, makeStatus, ready } from '../fakes/cluster-objects.ts';

const place = { namespace: 'wealist-kind-local', name: 'auth' };
const running = (seconds: number) => {
  const startedAt = new Date(Date.now() - seconds * 1000).toISOString();
  return makeStatus({ state: { running: { startedAt } } });
};

/** Hastens while the cluster has these pods; what was changed of which. */
function hasten(list: () => readonly Pod[], refuse?: Error) {
  const over = new AbortController();
  const hastened: string[] = [];
  let looks = 0;
  const api = {
    async get() {
      looks += 1;
      return { items: list() };
    },
    async patch(path: string, change: object) {
      hastened.push(path);
      expect(Object.keys(change)).toEqual(['metadata']);
      if (refuse) throw refuse;
      return {};
    },
  } as Pick<ApiServer, 'get' | 'patch'>;
  const ended = hastenProbes(api, place, over.signal).catch(() => 'ended');
  onTestFinished(() => over.abort());
  return { hastened, looks: () => looks, end: () => over.abort(), ended };
}

const starting = () => makePod('new', 'auth-2', { containerStatuses: running(0.2) });

test('a pod whose containers have just begun to run is changed, until it is ready', async () => {
  let pod = starting();
  const { hastened, looks } = hasten(() => [pod]);
  await expect.poll(() => hastened.length).toBeGreaterThan(1);
  expect(new Set(hastened)).toEqual(new Set(['/api/v1/namespaces/wealist-kind-local/pods/new']));
  pod = makePod('new', 'auth-2', { containerStatuses: running(0.2), conditions: ready });
  const seen = looks();
  await expect.poll(looks).toBeGreaterThan(seen + 1);
  const before = hastened.length;
  await expect.poll(looks).toBeGreaterThan(seen + 3);
  expect(hastened).toHaveLength(before);
});

test.each([
  [
    'that waits for its image',
    () =>
      makePod('new', 'auth-2', {
        containerStatuses: makeStatus({ state: { waiting: { reason: 'ContainerCreating' } } }),
      }),
  ],
  ['that has no container yet', () => makePod('new', 'auth-2', {})],
  ['that starts slowly', () => makePod('new', 'auth-2', { containerStatuses: running(10) })],
])('a pod %s is left alone', async (_, pod) => {
  const { hastened, looks } = hasten(() => [pod()]);
  await expect.poll(looks).toBeGreaterThan(2);
  expect(hastened).toEqual([]);
});

test('a pod that has gone meanwhile stops nothing', async () => {
  const { hastened } = hasten(() => [starting()], new ApiFailure('pods "new" not found', { status: 404 }));
  await expect.poll(() => hastened.length).toBeGreaterThan(2);
});

test('the end of the wait is its end', async () => {
  const { end, ended } = hasten(() => [starting()]);
  end();
  expect(await ended).toBe('ended');
});
