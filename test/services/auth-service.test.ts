import { expect, test } from 'vitest';
import { googleRoutes } from '../../services/auth-service/google-routes.ts';
import { loginRoutes } from '../../services/auth-service/login-routes.ts';
import { defineService } from '../../services/common/service.ts';
import { signToken, verifyToken } from '../../services/common/tokens.ts';
import { fakeSessions } from '../fakes/sessions.ts';
import { fetchJson, startTested } from './start.ts';

const secret = 's'.repeat(64);
const env = {
  ENV: 'local',
  JWT_SECRET: secret,
  GOOGLE_CLIENT_ID: 'placeholder-client-id.apps.googleusercontent.com',
  GOOGLE_CLIENT_SECRET: 'placeholder-client-secret',
};

const auth = () =>
  defineService({
    name: 'auth-service',
    connect: () => ({}),
    routes: ({ settings }) => [...loginRoutes(settings, fakeSessions), ...googleRoutes(settings)],
  });

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

const post = async (url: string, fields: object) => {
  const { status, body } = await fetchJson(url, { method: 'POST', body: JSON.stringify(fields) });
  return { status, body: body as Tokens };
};

test('issues tokens that every service accepts, and returns their user', async () => {
  const { url } = await startTested(auth(), { env });
  const { status, body } = await post(`${url}/api/auth/login`, { name: 'ada' });
  expect(status).toBe(200);
  const claims = verifyToken(body.accessToken, secret);
  expect(claims.sub).toBe('ada');
  expect(claims.exp - claims.iat).toBe(1_800);
  const me = (token: string) =>
    fetchJson(`${url}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } });
  expect(await me(body.accessToken)).toMatchObject({ status: 200, body: { user: 'ada' } });
  expect((await me(body.refreshToken)).status).toBe(401);
  expect((await fetchJson(`${url}/api/auth/me`)).status).toBe(401);
});

test('a refresh token can be used once, and not after logout', async () => {
  const { url } = await startTested(auth(), { env });
  const first = (await post(`${url}/api/auth/login`, { name: 'ada' })).body;
  const second = await post(`${url}/api/auth/refresh`, first);
  expect(second.status).toBe(200);
  expect((await post(`${url}/api/auth/refresh`, first)).status).toBe(401);
  expect((await fetchJson(`${url}/api/auth/sessions`)).body).toEqual({ open: 1 });
  expect((await post(`${url}/api/auth/logout`, second.body)).status).toBe(204);
  expect((await post(`${url}/api/auth/refresh`, second.body)).status).toBe(401);
  expect((await fetchJson(`${url}/api/auth/sessions`)).body).toEqual({ open: 0 });
});

test.each([
  [{}, 400],
  [{ refreshToken: 'rubbish' }, 401],
  [{ refreshToken: signToken({ sub: 'ada', iat: 1, exp: 9e9 }, secret) }, 401],
])('rejects the refresh of %j with %i', async (fields, status) => {
  const { url } = await startTested(auth(), { env });
  expect((await post(`${url}/api/auth/refresh`, fields)).status).toBe(status);
});

test('login without a password is forbidden unless ENV is local', async () => {
  const { url } = await startTested(auth(), { env: { ...env, ENV: 'production' } });
  expect((await post(`${url}/api/auth/login`, { name: 'ada' })).status).toBe(403);
});

test('reports that the Google login is disabled, with the reason', async () => {
  const placeholder = await startTested(auth(), { env });
  expect(await fetchJson(`${placeholder.url}/oauth2/authorization/google`)).toMatchObject({
    status: 503,
    body: { error: expect.stringContaining('is a placeholder') },
  });
  const real = await startTested(auth(), {
    env: { ...env, GOOGLE_CLIENT_ID: 'real', GOOGLE_CLIENT_SECRET: 'real' },
  });
  expect(await fetchJson(`${real.url}/oauth2/authorization/google`)).toMatchObject({
    status: 503,
    body: { error: expect.stringContaining('needs the real auth-service') },
  });
});

test('does not start with a secret that is too short for HS512', async () => {
  await expect(
    startTested(auth(), { env: { ...env, JWT_SECRET: 'dev-jwt-secret-change-in-production' } }),
  ).rejects.toThrow('JWT_SECRET is 35 bytes long, minimum is 64');
});
