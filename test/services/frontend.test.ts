import { expect, test } from 'vitest';
import { service } from '../../services/frontend/service.ts';
import { fetchJson, startTested } from './start.ts';

const names = ['AUTH', 'USER', 'BOARD', 'CHAT', 'NOTI', 'STORAGE', 'VIDEO'];
const env = Object.fromEntries(names.map((name) => [`${name}_SERVICE_URL`, 'http://127.0.0.1:1']));

test('serves its page, ready without any other service', async () => {
  const { url } = await startTested(service, { env });
  expect((await fetchJson(`${url}/health/ready`)).status).toBe(200);
  const page = await fetch(url);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
  const html = await page.text();
  const parts = [...html.matchAll(/(?:src|href)="(\/[\w.]+)"/g)].map(([, path]) => path);
  expect(parts).toContain('/app.js');
  for (const part of parts) expect((await fetch(url + part)).status).toBe(200);
  expect((await fetchJson(`${url}/service.json`)).body).toMatchObject({ name: 'frontend', ready: true });
});

test('serves every module of the page', async () => {
  const { url } = await startTested(service, { env });
  for (const module of ['app.js', 'service-status.js', 'card.js', 'services.js']) {
    const response = await fetch(`${url}/${module}`);
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    for (const [, imported] of (await response.text()).matchAll(/^import .* from '\.\/([\w.]+)'/gm)) {
      expect((await fetch(`${url}/${imported}`)).status).toBe(200);
    }
  }
});

test('the browser revalidates each time, and gets 304 when nothing has changed', async () => {
  const { url } = await startTested(service, { env });
  const first = await fetch(`${url}/style.css`);
  const etag = first.headers.get('etag') ?? '';
  expect(first.headers.get('cache-control')).toBe('no-cache');
  const again = (tag: string) => fetch(`${url}/style.css`, { headers: { 'if-none-match': tag } });
  expect((await again(etag)).status).toBe(304);
  // A proxy that compresses responses sends a weak tag.
  expect((await again(`"x", W/${etag}`)).status).toBe(304);
  expect((await again('"x"')).status).toBe(200);
});

test('config.js has the URL of the API, and the content security policy allows it', async () => {
  const same = await startTested(service, { env: { ...env, API_BASE_URL: '' } });
  expect(await (await fetch(`${same.url}/config.js`)).text()).toBe('window.__ENV__ = {"API_BASE_URL":""};\n');
  const other = await startTested(service, { env: { ...env, API_BASE_URL: 'http://host:8080/api' } });
  expect(await (await fetch(`${other.url}/config.js`)).text()).toContain('"http://host:8080/api"');
  expect((await fetch(other.url)).headers.get('content-security-policy')).toContain(
    "connect-src 'self' http://host:8080;",
  );
});

test.each([
  '/index.html',
  '/../service.ts',
  '/..%2fservice.ts',
  '/%2e%2e/service.ts',
  '/svc/auth/',
  '/nothing',
])('returns 404 for %s', async (path) => {
  const { url } = await startTested(service, { env });
  expect((await fetch(url + path)).status).toBe(404);
});

test('reports each of the seven services as unreachable', async () => {
  const { url } = await startTested(service, { env });
  const { status, body } = await fetchJson(`${url}/calls`);
  expect(status).toBe(502);
  expect((body as { calls: { ok: boolean }[] }).calls.map(({ ok }) => ok)).toEqual(Array(7).fill(false));
});
