import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { findChromium, launchChromium } from './chromium.ts';
import { sharedCheckout, test as testWithEngine } from './shared-checkout.ts';

const program = await findChromium();
if (program === undefined) {
  process.stderr.write(
    '\nSKIPPED: the page is not tested, since there is no Chromium on PATH or in $CHROMIUM.\n\n',
  );
}
const test = program === undefined ? testWithEngine.skip : testWithEngine;

const checkout = sharedCheckout();
let browser: Browser;
let url: string;

beforeAll(async () => {
  url = (await checkout.up()).addresses[0]?.url ?? '';
  if (program !== undefined) browser = await launchChromium(program);
});
afterAll(() => browser?.close());

test('the page shows all eight services ready, in a real browser', async () => {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', ({ message }) => problems.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(url);
  await page.getByText('All 8 services are ready').waitFor({ timeout: 30_000 });
  const names = await page.locator('.card[data-state=ready] .name').allTextContents();
  expect(names).toHaveLength(8);
  expect(names).toEqual(expect.arrayContaining(['auth-service', 'frontend', 'video-service']));
  expect(problems).toEqual([]);

  const picture = join(tmpdir(), 'wealist-page.png');
  await page.screenshot({ path: picture, fullPage: true });
  process.stderr.write(`the page as it was shown: ${picture}\n`);
  await page.close();
});
