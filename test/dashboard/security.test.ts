import { stat } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ensureToken } from '../../src/dashboard/token.ts';
import { findRefusal } from '../../src/dashboard/web-rules.ts';
import { hideSecrets } from '../../src/lib/secret-values.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import { openDashboard, openTab, token } from './open-dashboard.ts';
import { ready } from './recorded-state.ts';

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function ask(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Reply> {
  return new Promise((done, fail) => {
    // A connection of its own: that of an earlier test may have been to another server.
    const to = { host: '127.0.0.1', port, path, headers, method, agent: false };
    const sent = request(to, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => done({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.on('error', fail);
    sent.end();
  });
}

test('another name for 127.0.0.1 gets 421, whatever is asked for', async () => {
  const { port } = await openDashboard();
  for (const host of [`evil.example:${port}`, '127.0.0.1', `127.0.0.1:${port + 1}`, `[::1]:${port}`]) {
    expect((await ask(port, '/', { host })).status).toBe(421);
    expect((await ask(port, '/state.json', { host, authorization: `Bearer ${token}` })).status).toBe(421);
  }
  expect((await ask(port, '/', { host: `localhost:${port}` })).status).toBe(200);
});

test('a request that another site sends gets 403, one that would write 405', async () => {
  const { port } = await openDashboard();
  for (const origin of [
    'http://evil.example',
    `http://127.0.0.1:${port + 1}`,
    'null',
    `https://127.0.0.1:${port}`,
  ]) {
    expect((await ask(port, '/', { origin })).status).toBe(403);
  }
  expect((await ask(port, '/', { origin: `http://localhost:${port}` })).status).toBe(200);
  expect((await ask(port, '/', {}, 'POST')).status).toBe(405);
});

test('upgrades pass the same rules', async () => {
  const { port } = await openDashboard();
  await expect(openTab({ port }, token, { host: `evil.example:${port}` })).rejects.toThrow('421');
  await expect(openTab({ port }, token, { origin: 'http://evil.example' })).rejects.toThrow('403');
  expect(
    findRefusal({ method: 'GET', headers: { host: `127.0.0.1:${port}` } }, port, { isUpgrade: true }),
  ).toBe(403);
});

test('without the token there is no state: not by HTTP, not by WebSocket', async () => {
  const dashboard = await openDashboard();
  const { port } = dashboard;
  for (const authorization of ['', token, `Bearer ${token.slice(1)}`, `Bearer ${token}x`]) {
    expect((await ask(port, '/state.json', authorization === '' ? {} : { authorization })).status).toBe(401);
  }
  const wrong = await openTab(dashboard, 'another token');
  expect(await wrong.closed).toBe(4401);
  expect(wrong.messages).toEqual([]);
  const silent = await openTab(dashboard, '');
  silent.send({ type: 'resync' });
  expect(await silent.closed).toBe(4401);
  expect(silent.messages).toEqual([]);

  const right = await ask(port, '/state.json', { authorization: `Bearer ${token}` });
  expect(JSON.parse(right.body)).toEqual(ready);
});

test('a message that is not of the protocol closes the tab', async () => {
  const dashboard = await openDashboard();
  const requests: readonly string[] = [
    '{"type":"start","id":"1","action":"down"}',
    '{"type":"start","id":"1","action":"reload","services":["--yes"]}',
    '{"type":"start","id":"1","action":"up","services":["auth-service"]}',
    '{"type":"ask","id":"1","what":"shell"}',
    '[]',
    'no JSON',
  ];
  for (const text of requests) {
    const tab = await openTab(dashboard);
    await expect.poll(() => tab.messages.length).toBe(2);
    tab.socket.send(text);
    expect(await tab.closed).toBe(1003);
  }
});

test('responses forbid frames, sniffing, foreign scripts and storing, and set no cookie', async () => {
  const { port } = await openDashboard();
  for (const path of ['/', '/main.js', '/page.css', '/icon.svg', '/services', '/missing.js']) {
    const { headers } = await ask(port, path);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|data:/);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  }
  expect((await ask(port, '/missing.js')).status).toBe(404);
  expect((await ask(port, '/../package.json')).body).not.toContain('dependencies');
});

test('no secret leaves in any message, nor in the state', async () => {
  const secret = 'canary "of" 0123456789abcdef';
  hideSecrets([secret]);
  const dashboard = await openDashboard({
    onRequest: (tab) => tab.send({ type: 'lines', id: '1', lines: [[0, '', 2, secret]] }),
  });
  const tab = await openTab(dashboard);
  await expect.poll(() => tab.messages.length).toBe(2);
  dashboard.tabs.update((state) => ({ ...state, interrupted: [secret, `"${JSON.stringify(secret)}"`] }));
  tab.send({ type: 'ask', id: '1', what: 'why' });
  await expect
    .poll(() => tab.messages.map(({ type }) => type))
    .toEqual(['welcome', 'snapshot', 'lines', 'patch']);
  const { body } = await ask(dashboard.port, '/state.json', { authorization: `Bearer ${token}` });
  for (const text of [body, JSON.stringify(tab.messages)]) {
    expect(text).toContain('***');
    expect(text).not.toContain('0123456789abcdef');
  }
});

test('the token has 256 bits, belongs to the checkout, and is readable by its user only', async () => {
  const state = await makeTemporaryFolder();
  const first = await ensureToken({ state });
  expect(Buffer.from(first, 'base64url')).toHaveLength(32);
  expect(await ensureToken({ state })).toBe(first);
  expect((await stat(join(state, 'dashboard-token'))).mode & 0o777).toBe(0o600);
  expect(await ensureToken({ state: await makeTemporaryFolder() })).not.toBe(first);
});
