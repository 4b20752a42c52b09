import { expect, test } from 'vitest';
import { callsRoute, peer } from '../../../services/common/peer.ts';
import { defineService } from '../../../services/common/service.ts';
import { fetchJson, startTested } from '../start.ts';

const called = (name: string) => defineService({ name, connect: () => ({}), routes: () => [] });

const caller = defineService({
  name: 'caller-service',
  connect: (settings) => ({ auth: peer(settings, 'auth-service'), user: peer(settings, 'user-service') }),
  routes: ({ dependencies }) => [callsRoute('/calls', Object.values(dependencies))],
});

test('calls each peer and reports the results', async () => {
  const auth = await startTested(called('auth-service'));
  const user = await startTested(called('user-service'));
  const { url } = await startTested(caller, {
    env: { AUTH_SERVICE_URL: `${auth.url}/`, USER_SERVICE_URL: user.url },
  });
  const answer = { ok: true, status: 200, ms: expect.any(Number), sourceHash: 'unbundled' };
  expect(await fetchJson(`${url}/calls`)).toEqual({
    status: 200,
    body: {
      calls: [
        expect.objectContaining({ service: 'auth-service', ...answer }),
        expect.objectContaining({ service: 'user-service', ...answer }),
      ],
    },
  });

  await user.stop();
  expect(await fetchJson(`${url}/calls`)).toMatchObject({
    status: 502,
    body: {
      calls: [
        { service: 'auth-service', ok: true },
        { service: 'user-service', ok: false, error: expect.stringContaining('ECONNREFUSED') },
      ],
    },
  });
});

test('is ready without its peers, and shows their state', async () => {
  const auth = await startTested(called('auth-service'));
  const { url } = await startTested(caller, {
    env: { AUTH_SERVICE_URL: auth.url, USER_SERVICE_URL: 'http://127.0.0.1:1' },
  });
  expect((await fetchJson(`${url}/health/ready`)).status).toBe(200);
  await expect
    .poll(async () => (await fetchJson(url)).body)
    .toMatchObject({
      ready: true,
      dependencies: [
        { name: 'auth-service', kind: 'service', state: 'up' },
        { name: 'user-service', kind: 'service', state: 'down' },
      ],
    });
});
