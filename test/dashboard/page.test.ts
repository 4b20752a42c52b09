import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test as plainTest } from 'vitest';
import { bundlePage, type PageFiles } from '../../src/dashboard/bundle-page.ts';
import type { DashboardState } from '../../src/dashboard/dashboard-state.ts';
import type { Request, SentLine } from '../../src/dashboard/protocol.ts';
import type { Dashboard } from '../../src/dashboard/serve.ts';
import type { Tab } from '../../src/dashboard/tabs.ts';
import { findChromium, launchChromium } from '../e2e/chromium.ts';
import { openDashboard, token } from './open-dashboard.ts';
import { broken, forty, loading, missing, ready, recordedStates, silent } from './recorded-state.ts';

const program = await findChromium();
if (program === undefined) {
  process.stderr.write(
    '\nSKIPPED: the dashboard is not tested in a browser: there is no Chromium on PATH or in $CHROMIUM.\n\n',
  );
}
const test = program === undefined ? plainTest.skip : plainTest;

let browser: Browser;
let files: Promise<PageFiles>;
let axe: string;

beforeAll(async () => {
  if (program === undefined) return;
  files = bundlePage(resolve(import.meta.dirname, '../..'));
  [browser, axe] = await Promise.all([
    launchChromium(program, ['--host-resolver-rules=MAP evil.example 127.0.0.1']),
    readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'),
    files,
  ]);
}, 120_000);
afterAll(() => browser?.close());

/** Lines in the formats of several loggers, some in Korean. */
const lines: readonly SentLine[] = Array.from({ length: 300 }, (_, at): SentLine => {
  const text = at % 2 === 0 ? `{"level":"info","message":"요청 ${at}","status":200}` : `plain line ${at}`;
  return [at % 2, `2026-11-30T09:00:00.${String(at).padStart(9, '0')}Z`, at % 10 === 0 ? 4 : 2, text];
});

function answer(tab: Tab, request: Request): void {
  if (request.type === 'logs') {
    const sources = [
      { component: 'auth-service', pod: 'a', container: 'a' },
      { component: 'redis', pod: 'b', container: 'b' },
    ];
    tab.send({
      type: 'lines',
      id: request.id,
      sources: { ...sources },
      lines: [...lines, [0, '', 0, '', 7]],
    });
  }
  if (request.type === 'ask') {
    const checks = [
      { id: 'engine', title: 'container engine', state: 'ok', detail: 'Docker 26' },
      { id: 'disk', title: 'disk', state: 'warn', detail: '9 GB free', fix: 'npm run images -- prune' },
    ];
    const objects = [
      {
        ...{ release: 'redis', kind: 'StatefulSet', name: 'redis', change: 'changed' },
        fields: [{ path: 'spec.replicas', before: '0', after: '1' }],
      },
    ];
    const reports: Record<string, unknown> = {
      doctor: { checks, changes: [] },
      plan: { comparison: { with: 'wealist', objects, notes: [] }, unbuilt: [] },
    };
    tab.send({ type: 'answer', id: request.id, exitCode: 0, value: reports[request.what] });
  }
}

interface Opened {
  readonly page: Page;
  readonly dashboard: Dashboard;
  readonly requests: readonly Request[];
}

async function open(
  state: DashboardState,
  { path = '/', ...context }: BrowserContextOptions & { readonly path?: string } = {},
): Promise<Opened> {
  const requests: Request[] = [];
  const dashboard = await openDashboard({
    ...{ files, state },
    onRequest(tab, request) {
      requests.push(request);
      answer(tab, request);
    },
  });
  const own = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...context });
  onTestFinished(() => own.close());
  const page = await own.newPage();
  const problems: string[] = [];
  page.on('pageerror', ({ message }) => problems.push(message));
  page.on('console', (message) => {
    // The browser itself reports a connection that the program has closed.
    if (message.type() === 'error' && !message.text().includes('WebSocket')) problems.push(message.text());
  });
  onTestFinished(() => expect(problems).toEqual([]));
  await page.goto(`http://127.0.0.1:${dashboard.port}${path}#token=${token}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await expect.poll(() => requests.length > 0 || page.locator('.gauge').first().textContent()).toBeTruthy();
  return { page, dashboard, requests };
}

async function findViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as { axe: { run(): Promise<{ violations: readonly Violation[] }> } }
    ).axe.run();
    interface Violation {
      readonly id: string;
      readonly nodes: readonly { readonly html: string }[];
    }
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
  });
}

const paths = [
  '/services',
  '/service/board-service',
  '/why',
  '/logs',
  '/needs',
  '/needs?view=table',
  '/runs',
  '/forwards',
  '/doctor',
  '/plan',
];

/** Goes to another page of the program without loading it again. */
async function goTo(page: Page, path: string): Promise<void> {
  const to = JSON.stringify(path);
  await page.evaluate(`history.pushState(null, '', ${to}); dispatchEvent(new PopStateEvent('popstate'))`);
}

const content =
  'main :is(tr[data-part], .plain, .causes, .log-row, .graph svg, .run-list, .checks, .changes)';

describe('axe finds nothing', () => {
  test('on any page, in light and dark', async () => {
    const { page } = await open(broken);
    for (const path of paths) {
      await goTo(page, path);
      if (/doctor|plan/.test(path)) await page.locator('main button').first().click();
      await page.locator(content).first().waitFor();
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        expect([path, colorScheme, await findViolations(page)]).toEqual([path, colorScheme, []]);
      }
    }
  }, 120_000);

  test('in any state, in light and dark', async () => {
    const { page, dashboard } = await open(loading, { path: '/services' });
    for (const [name, state] of Object.entries(recordedStates)) {
      dashboard.tabs.update(() => state);
      await expect.poll(() => page.locator('tr[data-part]').count()).toBe(Object.keys(state.parts).length);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        expect([name, colorScheme, await findViolations(page)]).toEqual([name, colorScheme, []]);
      }
    }
  }, 120_000);

  test('with forced colours, and 320 px wide on every page', async () => {
    const { page } = await open(broken, { forcedColors: 'active', viewport: { width: 320, height: 640 } });
    for (const path of paths) {
      await goTo(page, path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect([path, await findViolations(page)]).toEqual([path, []]);
      // Nothing makes the page itself scroll sideways.
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
    }
  }, 120_000);
});

describe('states', () => {
  test('problems come first, and no row moves while the pointer is in the table', async () => {
    const { page, dashboard } = await open(broken, { path: '/services' });
    const names = () => page.locator('tr[data-part] .name').allTextContents();
    await expect.poll(async () => (await names()).slice(0, 2)).toEqual(['board-service', 'redis']);
    const before = await names();
    await page.locator('tr[data-part=frontend]').hover();
    const { frontend, ...others } = broken.parts;
    if (!frontend) throw new Error('no frontend');
    dashboard.tabs.update((state) => ({
      ...state,
      parts: { ...others, frontend: { ...frontend, state: 'failed', line: 'crashed' } },
    }));
    await page.getByText('crashed', { exact: true }).waitFor();
    expect(await names()).toEqual(before);
    await page.mouse.move(0, 0);
    dashboard.tabs.update((state) => ({ ...state, interrupted: [] }));
    await expect.poll(async () => (await names()).indexOf('frontend')).toBeLessThan(3);
  });

  test('forty services keep their heights whatever their state is', async () => {
    const { page, dashboard } = await open(forty, { path: '/services' });
    const heights = () =>
      page
        .locator('tr[data-part]')
        .evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
    await expect.poll(async () => (await heights()).length).toBe(44);
    expect(new Set(await heights()).size).toBe(1);
    dashboard.tabs.update(() => ({ ...forty, parts: loading.parts }));
    await expect.poll(async () => (await heights()).length).toBe(8);
    await page.getByText('알림-서비스').waitFor({ state: 'detached' });
  });

  test.each([
    ['silent', silent],
    ['missing', missing],
    ['loading', loading],
  ] as const)('nothing is called ready while the cluster is %s', async (_, state) => {
    const { page } = await open(state, { path: '/services' });
    await page.locator('tr[data-part]').first().waitFor();
    expect(await page.locator('.mark.is-good').count()).toBe(
      state === silent ? await page.locator('.chain .mark.is-good').count() : 0,
    );
    expect(await page.locator('.c-state').allTextContents()).toEqual([
      'State',
      ...Array(Object.keys(state.parts).length).fill('unknown'),
    ]);
    expect(await page.locator('.gauge', { hasText: 'ready' }).first().textContent()).toContain('–');
    if (state === silent) await page.getByText(/does not respond\..*as of \d\d:\d\d:\d\d/).waitFor();
  });

  test('a program that ends is said, and found again', async () => {
    const { page, dashboard } = await open(ready, { path: '/services' });
    await page.getByText('wealist is running').waitFor();
    dashboard.close();
    await page.getByText('The dashboard has ended.').waitFor();
    expect(await page.locator('.c-state .is-good').count()).toBe(0);
    await openDashboard({ files, port: dashboard.port, tried: 1 });
    await page.getByText('The dashboard has ended.').waitFor({ state: 'detached' });
    await page.getByText('wealist is running').waitFor();
  });

  test('a program of another version asks to load the page again', async () => {
    const { page, dashboard } = await open(ready, { path: '/services' });
    await page.getByText('wealist is running').waitFor();
    dashboard.close();
    await openDashboard({ port: dashboard.port, tried: 1 });
    await page.getByText('The program is of another version than this page.').waitFor();
  });

  test('nothing moves for a user who wants less motion', async () => {
    const { page } = await open(broken, { path: '/needs', reducedMotion: 'reduce' });
    await page.locator('.node').first().waitFor();
    const durations = await page.evaluate<readonly string[]>(
      "[...document.querySelectorAll('*')].map((each) => getComputedStyle(each).transitionDuration)",
    );
    expect(new Set(durations)).toEqual(new Set(['0s']));
  });
});

describe('the token', () => {
  test('leaves the address, stays with its tab, and no other tab has it', async () => {
    const { page, dashboard } = await open(ready, { path: '/runs' });
    expect(page.url()).toBe(`http://127.0.0.1:${dashboard.port}/runs`);
    await page.reload();
    await page.getByText('wealist is running').waitFor();
    const other = await page.context().newPage();
    await other.goto(`http://127.0.0.1:${dashboard.port}/`);
    await other.getByText('This tab has no token.').waitFor();
    expect(await page.context().cookies()).toEqual([]);
  });

  test('a site whose name points to 127.0.0.1 gets neither the page nor a WebSocket', async () => {
    const { page, dashboard } = await open(ready);
    const evil = await page.context().newPage();
    const response = await evil.goto(`http://evil.example:${dashboard.port}/`);
    expect(response?.status()).toBe(421);
    const code = await evil.evaluate(
      (port) =>
        new Promise<string>((done) => {
          const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
          socket.onopen = () => done('open');
          socket.onerror = () => done('refused');
        }),
      dashboard.port,
    );
    expect(code).toBe('refused');
  });

  test('seven tabs show the same at once', async () => {
    const { page, dashboard } = await open(ready, { path: '/services' });
    const tabs = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const tab = await page.context().newPage();
        await tab.goto(`http://127.0.0.1:${dashboard.port}/#token=${token}`);
        return tab;
      }),
    );
    for (const tab of [page, ...tabs]) await tab.getByText('wealist is running').waitFor();
    dashboard.tabs.update(() => broken);
    for (const tab of [page, ...tabs]) await tab.getByText('redis: scaled to 0 replicas').first().waitFor();
  });
});

test('a journey by keyboard: find the service, read its cause, reload it, read its log, come back', async () => {
  const { page, requests } = await open(broken, { path: '/services' });
  await page.locator('tr[data-part]').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('board');
  await expect.poll(() => page.locator('tr[data-part]').count()).toBe(1);
  // In a field the keys are letters.
  expect(requests.filter(({ type }) => type === 'start')).toEqual([]);
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.keyboard.press('r');
  await expect
    .poll(() => requests.at(-1))
    .toMatchObject({ type: 'start', action: 'reload', services: ['board-service'] });
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'board-service' }).waitFor();
  await page.getByText('crashed 2 times, exit code 1').first().waitFor();
  await page.keyboard.press('l');
  await page.getByRole('heading', { level: 1, name: 'Logs' }).waitFor();
  expect(page.url()).toContain('services=board-service');
  await page.keyboard.press('Escape');
  await page.getByRole('heading', { level: 1, name: 'Services' }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await page.getByLabel('Single keys are on').uncheck();
  await page.keyboard.press('Escape');
  await page.keyboard.press('l');
  await page.getByRole('heading', { level: 1, name: 'Services' }).waitFor();
});

test('logs: filters follow the address, a gap is shown, a mark is set, pausing holds the view', async () => {
  const { page } = await open(ready, { path: '/logs?services=auth-service&text=/요청 29/' });
  await expect
    .poll(() => page.locator('.log-row .text').allTextContents())
    .toEqual([290, 292, 294, 296, 298].map((at) => `요청 ${at} status=200`));
  await page.getByText('gap: 7 lines not shown').waitFor();
  await page.getByPlaceholder(/regex/).fill('');
  expect(new URL(page.url()).search).toBe('?services=auth-service');
  await expect.poll(() => page.getByText('151 lines').count()).toBe(1);
  await page.getByRole('button', { name: 'Mark' }).click();
  await page.locator('.mark-line').waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Mark' }).click();
  await page.getByText('1 new line, paused').waitFor();
});

test('only reload and up without --yes can be started; the rest is copied', async () => {
  const { page, requests } = await open(broken, { path: '/why' });
  await page.getByRole('button', { name: 'Run it' }).first().waitFor();
  expect(await page.locator('.cause').count()).toBe(2);
  await page.getByRole('button', { name: 'Run it' }).first().click();
  await expect.poll(() => requests.at(-1)).toMatchObject({ type: 'start', action: 'up' });
  const { page: remote } = await open(recordedStates.remote, { path: '/services' });
  await remote.locator('tr[data-part]').first().waitFor();
  expect(await remote.getByRole('button', { name: /^(Reload|Watch)/, disabled: false }).count()).toBe(0);
});

test('a reload is done when its command has ended with exit code 0, and not before', async () => {
  const replies: (() => void)[] = [];
  const dashboard = await openDashboard({
    ...{ files, state: ready },
    onRequest(tab, request) {
      if (request.type !== 'start') return;
      replies.push(() =>
        tab.send({
          type: 'answer',
          id: request.id,
          exitCode: 10,
          error: { message: 'another run is in progress' },
        }),
      );
    },
  });
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  await page.goto(`http://127.0.0.1:${dashboard.port}/#token=${token}`);
  await page.getByRole('button', { name: 'Reload auth-service' }).click();
  await page.getByText('reload auth-service: started').waitFor();
  await expect.poll(() => replies.length).toBe(1);
  replies[0]?.();
  await page.getByText('reload auth-service: exit code 10, another run is in progress').waitFor();
});
