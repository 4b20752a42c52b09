// Makes the README's pictures of the dashboard, docs/dashboard-services.png and docs/dashboard-why.png, from the recorded
// state of the tests: `node --import tsx scripts/dashboard-pictures.ts`. Needs Chromium on PATH or in $CHROMIUM.
import { join, resolve } from 'node:path';
import { serveDashboard } from '../src/dashboard/serve.ts';
import { broken, recordedAt } from '../test/dashboard/recorded-state.ts';
import { findChromium, launchChromium } from '../test/e2e/chromium.ts';

const checkout = resolve(import.meta.dirname, '..');
const pictures = [
  { name: 'services', path: '/services', height: 640 },
  { name: 'why', path: '/why', height: 560 },
] as const;

const program = await findChromium();
if (program === undefined) throw new Error('there is no Chromium on PATH or in $CHROMIUM');

const token = 'of-a-picture';
const dashboard = await serveDashboard({
  ...{ checkout, token, port: 4_900, tried: 100, state: broken },
  ...{ onRequest: () => {}, onCount: () => {} },
});
const browser = await launchChromium(program);
try {
  const context = await browser.newContext({
    ...{ colorScheme: 'light', locale: 'en-GB', timezoneId: 'Asia/Seoul', reducedMotion: 'reduce' },
    viewport: { width: 1280, height: 640 },
  });
  const page = await context.newPage();
  // Ages are those of the recorded moment.
  await page.clock.setFixedTime(recordedAt);
  for (const { name, path, height } of pictures) {
    await page.setViewportSize({ width: 1280, height });
    await page.goto(`http://127.0.0.1:${dashboard.port}${path}#token=${token}`);
    await page.locator('main :is(tr[data-part], .cause)').first().waitFor();
    const file = join(checkout, `docs/dashboard-${name}.png`);
    await page.screenshot({ path: file });
    process.stdout.write(`${file}\n`);
  }
} finally {
  await browser.close();
  dashboard.close();
}
