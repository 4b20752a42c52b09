import { expect, onTestFinished, test } from 'vitest';
import type { ClusterAccess } from '../../../src/commands/context/cluster.ts';
import { createClusterFeed } from '../../../src/commands/dashboard/cluster-feed.ts';
import type { ClusterView, DashboardState } from '../../../src/dashboard/dashboard-state.ts';
import { createApiSnapshots } from '../../../src/diagnosis/api-snapshots.ts';
import type { Snapshot } from '../../../src/diagnosis/snapshot.ts';
import { createApiServer } from '../../../src/tools/kubernetes/api-server.ts';
import { ready } from '../../dashboard/recorded-state.ts';
import { startApiServer } from '../../fakes/api-server.ts';
import { environment } from '../../fakes/app.ts';
import { makePod } from '../../fakes/cluster-objects.ts';

/** A feed on an API server in memory, whose parts are the pods. */
async function startFeed({ explained = 'silent' }: { readonly explained?: ClusterView['state'] } = {}) {
  const server = await startApiServer();
  server.set('/version', {});
  server.setPod(makePod('auth-service-1', 'auth-service-2'));
  const api = createApiServer({ server: server.url } as Parameters<typeof createApiServer>[0]);
  const openApi = async () => api;
  const access = { snapshots: createApiSnapshots(openApi), openApi } as unknown as ClusterAccess;
  const over = new AbortController();
  let state: DashboardState = { ...ready, cluster: { name: 'wealist', state: 'loading' }, parts: {} };
  let snapshots = 0;
  const toParts = (snapshot: Snapshot) =>
    Object.fromEntries(
      snapshot
        .list('Pod')
        .map(({ metadata: { name } }) => [name, { name } as DashboardState['parts'][string]]),
    );
  const feed = createClusterFeed({
    ...{ app: { signal: over.signal }, environment, retryInterval: 20, heartbeat: 50 },
    source: {
      name: 'wealist',
      open: async () => access,
      explain: async (silence) => ({
        state: explained,
        ...(silence === undefined ? {} : { evidence: silence }),
      }),
      watched: ['/api/v1/pods'],
      toParts,
    },
    update: (change) => {
      state = change(state);
    },
    onSnapshot: () => {
      snapshots++;
    },
  });
  const running = feed.run(over.signal).catch(() => {});
  onTestFinished(async () => {
    over.abort(new Error('the test is over'));
    await running;
  });
  return { server, getState: () => state, countSnapshots: () => snapshots };
}

test('shows each change of a watched collection, and asks for nothing else meanwhile', async () => {
  const { server, getState, countSnapshots } = await startFeed();
  await expect.poll(() => Object.keys(getState().parts)).toEqual(['auth-service-1']);
  expect(getState().cluster.state).toBe('running');
  server.setPod(makePod('auth-service-9', 'auth-service-2'));
  await expect.poll(() => Object.keys(getState().parts)).toEqual(['auth-service-1', 'auth-service-9']);
  const pause = () => new Promise((done) => setTimeout(done, 300));
  // The change may come in two events, each with a snapshot.
  await pause();
  const known = countSnapshots();
  const asked = server.requests.length;
  await pause();
  expect(countSnapshots()).toBe(known);
  expect(server.requests.slice(asked).filter((line) => line !== 'GET /version')).toEqual([]);
});

test('an API server that is gone: the last picture stays, with its time; once it is back, the current one is shown', async () => {
  const { server, getState } = await startFeed();
  await expect.poll(() => getState().cluster.state).toBe('running');
  server.setDown(true);
  await expect.poll(() => getState().cluster.state).toBe('silent');
  expect(getState().cluster).toMatchObject({ asOf: expect.any(String), evidence: expect.any(String) });
  expect(Object.keys(getState().parts)).toEqual(['auth-service-1']);
  server.removePod('auth-service-1');
  server.setDown(false);
  await expect.poll(() => getState().cluster.state).toBe('running');
  await expect.poll(() => getState().parts).toEqual({});
});

test('a cluster that was stopped: the rows of the configuration, of which nothing is known', async () => {
  const { server, getState } = await startFeed({ explained: 'stopped' });
  await expect.poll(() => getState().cluster.state).toBe('running');
  server.setDown(true);
  await expect.poll(() => getState().cluster.state).toBe('stopped');
  const parts = Object.values(getState().parts);
  expect(parts.map(({ name, state }) => [name, state])).toEqual([
    ['auth-service', 'unknown'],
    ['frontend', 'unknown'],
  ]);
  expect(getState().cluster).not.toHaveProperty('asOf');
});
