import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { findChromium, launchChromium } from './chromium.ts';
import { docker } from './cluster.ts';
import { request } from './ingress.ts';
import type { Running } from './running.ts';
import { sharedCheckout, test as testWithEngine } from './shared-checkout.ts';

const program = await findChromium();
if (program === undefined) {
  process.stderr.write(
    '\nSKIPPED: the dashboard is not tested, since there is no Chromium on PATH or in $CHROMIUM.\n\n',
  );
}
const test = program === undefined ? testWithEngine.skip : testWithEngine;

const checkout = sharedCheckout();
const main = 'services/board-service/main.ts';
const undone: (() => Promise<void>)[] = [];
let origin = '';
let dashboard: Running;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  if (program === undefined) return;
  origin = (await checkout.up()).addresses[0]?.url ?? '';
  dashboard = checkout.start('dashboard', '--json');
  await dashboard.said('"url"');
  browser = await launchChromium(program);
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(JSON.parse(dashboard.printed()).url);
});
afterAll(async () => {
  for (const undo of undone.splice(0)) await undo();
  await browser?.close();
  dashboard?.signalGroup('SIGINT');
  await dashboard?.ended;
});

const row = () => page.locator('tr[data-part=board-service]');
const cell = (name: string) => row().locator(`.c-${name}`);

test('the page shows each service as status does', async () => {
  await expect.poll(() => cell('state').textContent()).toBe('ready');
  await expect.poll(() => cell('chain').textContent()).toBe('fresh');
  const { parts } = JSON.parse((await checkout.run('status', '--json')).stdout);
  const names = parts.map(({ name }: { readonly name: string }) => name).toSorted();
  await expect
    .poll(async () => (await page.locator('tr[data-part] .name').allTextContents()).toSorted())
    .toEqual(names);
});

test('a broken source is stale at once; reloaded from the page it fails, and the page shows the cause', async () => {
  // The source must be new, or an earlier run's image of it would be in the cache.
  const error = `throw new Error('the board is broken ${randomBytes(6).toString('hex')}');`;
  undone.push(await checkout.edit(main, (text) => `${text}\n${error}\n`));
  await expect.poll(() => cell('chain').textContent()).toBe('not built');
  await page.getByRole('button', { name: 'Reload board-service' }).click();
  await page.getByText(/reload board-service: exit code 8/).waitFor({ timeout: 120_000 });
  await expect.poll(() => cell('state').textContent()).toBe('failed');

  await row().getByRole('link', { name: 'board-service', exact: true }).click();
  const cause = page.locator('.cause').filter({ hasText: 'board-service' });
  await expect.poll(() => cause.first().textContent(), { timeout: 60_000 }).toContain('the board is broken');
  await page.screenshot({ path: join(tmpdir(), 'wealist-dashboard-cause.png') });
});

test('mended and reloaded from the page, it is ready and fresh, and the run is recorded', async () => {
  for (const undo of undone.splice(0)) await undo();
  await page.getByRole('button', { name: 'Reload board-service' }).click();
  await page.getByText('reload board-service: done').waitFor({ timeout: 120_000 });
  await expect.poll(() => page.locator('.cause').count()).toBe(0);
  await page.getByRole('link', { name: 'Services' }).click();
  await expect.poll(() => cell('state').textContent()).toBe('ready');
  await expect.poll(() => cell('chain').textContent()).toBe('fresh');
  expect((await request(`${origin}svc/board/health/ready`)).status).toBe(200);

  await page.getByRole('link', { name: 'Runs' }).click();
  const runs = page.locator('.run-list li').filter({ hasText: 'reload board-service' });
  await expect.poll(() => runs.first().textContent()).toContain('done');
  await expect.poll(() => runs.nth(1).textContent()).toContain('exit 8');
});

test('its log is on the page, without a secret', async () => {
  await page.getByRole('link', { name: 'Logs' }).click();
  // Only the rows in view are in the page, and the newest are in view.
  await page.getByPlaceholder('text or /regex/').fill('listening');
  await page.getByText('listening').first().waitFor();
  const text = (await page.locator('.log-row').allTextContents()).join('\n');
  expect(text).not.toMatch(/postgres:\/\/\w+:(?!\*\*\*)\S+@/);
});

test('an API server that does not respond greys the picture, and nothing is ready until it is back', async () => {
  await page.getByRole('link', { name: 'Services' }).click();
  await expect.poll(() => cell('state').textContent()).toBe('ready');
  const node = `${checkout.name}-control-plane`;
  await docker('pause', node);
  try {
    await page
      .getByText(/is paused|does not respond/)
      .first()
      .waitFor({ timeout: 30_000 });
    await expect.poll(() => cell('state').textContent()).toBe('unknown');
    expect(await page.locator('.c-state .is-good').count()).toBe(0);
  } finally {
    await docker('unpause', node);
  }
  await expect.poll(() => cell('state').textContent(), { timeout: 60_000 }).toBe('ready');
});

test('Ctrl-C ends it, and the page says so', async () => {
  dashboard.signalGroup('SIGINT');
  expect((await dashboard.ended).exitCode).toBe(130);
  await page.getByText('The dashboard has ended.').waitFor();
});
