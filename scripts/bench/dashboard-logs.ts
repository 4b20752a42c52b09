import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { sleep } from 'zx';
import type { SentLine } from '../../src/dashboard/protocol.ts';
import { serveDashboard } from '../../src/dashboard/serve.ts';
import type { Tab } from '../../src/dashboard/tabs.ts';
import { ready } from '../../test/dashboard/recorded-state.ts';
import type { Figure } from './figure.ts';

const total = 100_000;
/** Lines of one message, and messages per second of the stream. */
const batch = 500;
const rate = 10;
const seconds = 10;

const toLines = (from: number, count: number): readonly SentLine[] =>
  Array.from({ length: count }, (_, at): SentLine => {
    const text = `{"level":"info","service":"board-service","message":"GET /api/boards/${from + at}","status":200,"ms":${at % 90}}`;
    return [0, new Date().toISOString().replace('Z', '000000Z'), (from + at) % 50 === 0 ? 4 : 2, text];
  });

/** The Logs page with lines that a program of this measurement sends: heap, filtering, and a stream of 5,000 lines/s. */
export async function measureLogPage(browser: Browser): Promise<readonly Figure[]> {
  let send: (from: number, count: number) => void = () => {};
  let onOpen = () => {};
  const opened = new Promise<void>((done) => {
    onOpen = done;
  });
  const token = 'of-a-measurement';
  const dashboard = await serveDashboard({
    ...{ checkout: resolve(import.meta.dirname, '../..'), token, port: 5_400, tried: 100, state: ready },
    onCount: () => {},
    onRequest(tab: Tab, request) {
      if (request.type !== 'logs') return;
      const sources = { 0: { component: 'board-service', pod: 'board', container: 'board' } };
      tab.send({ type: 'lines', id: request.id, sources, lines: [] });
      send = (from, count) => tab.send({ type: 'lines', id: request.id, lines: toLines(from, count) });
      onOpen();
    },
  });
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${dashboard.port}/logs#token=${token}`);
    await opened;
    const empty = await readHeap(page);
    for (let from = 0; from < total; from += batch) send(from, batch);
    await page.getByText(`${total} lines`).waitFor();
    const heap = (await readHeap(page)) - empty;
    const filters: number[] = [];
    for (const text of ['boards/9999', '/ms":8\\d/', 'nothing like this', 'status'])
      filters.push(await timeFilter(page, text));
    await page.locator('[data-search]').fill('');
    await watchLongTasks(page);
    for (let turn = 0; turn < rate * seconds; turn += 1) {
      send(total + turn * batch, batch);
      await sleep(1000 / rate);
    }
    const longest = await page.evaluate<number>('Math.max(0, ...globalThis.longTasks)');
    await context.close();
    return [
      { what: `dashboard: heap of ${total} log lines`, unit: 'MB', values: [heap], target: 100 },
      { what: 'dashboard: filtering them', unit: 'ms', values: filters, target: 150 },
      {
        what: 'dashboard: longest task above 50 ms at 5,000 lines/s',
        unit: 'ms',
        values: [longest],
        target: 50,
      },
    ];
  } finally {
    dashboard.close();
  }
}

async function readHeap(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize / 1024 / 1024;
}

/** From the input to the first frame whose count of lines stays. */
function timeFilter(page: Page, text: string): Promise<number> {
  return page.evaluate<number>(`new Promise((done) => {
    const input = document.querySelector('[data-search]');
    const foot = document.querySelector('.log-foot .number');
    const begun = performance.now();
    let changed = begun;
    const observer = new MutationObserver(() => { changed = performance.now(); });
    observer.observe(document.querySelector('.log'), { subtree: true, childList: true, characterData: true });
    input.value = ${JSON.stringify(text)};
    input.dispatchEvent(new InputEvent('input', { bubbles: true }));
    setTimeout(() => { observer.disconnect(); done(changed - begun); }, 1500);
  })`);
}

async function watchLongTasks(page: Page): Promise<void> {
  await page.evaluate(`globalThis.longTasks = [];
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.longTasks.push(duration);
    }).observe({ type: 'longtask' }); undefined`);
}
