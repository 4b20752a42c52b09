import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { $, sleep } from 'zx';
import { bundlePage } from '../../src/dashboard/bundle-page.ts';
import { findChromium, launchChromium } from '../../test/e2e/chromium.ts';
import { kubeconfigOf, kubectlOf, namespace } from '../../test/e2e/cluster.ts';
import type { Bench, Benchmark } from './bench.ts';
import { measureLogPage } from './dashboard-logs.ts';
import type { Figure } from './figure.ts';

/** Milliseconds over which the CPU of the program is measured. */
const period = 20_000;
/** How often a pod is changed. */
const changes = 20;

/** The dashboard: its start, its page in Chromium, and what it uses. */
export const measureDashboard: Benchmark = async (bench) => {
  const program = await findChromium();
  if (program === undefined) throw new Error('there is no Chromium on PATH or in $CHROMIUM');
  const files = await bundlePage(resolve(import.meta.dirname, '../..'));
  const firstLoad = ['/', '/main.js', '/page.css', '/icon.svg'].map(
    (path) => gzipSync(files.get(path)?.body ?? '', { level: 9 }).byteLength,
  );
  const browser = await launchChromium(program, ['--enable-precise-memory-info']);
  try {
    return [
      {
        ...{ what: 'dashboard: first load, gzipped', unit: 'kB', target: 45 },
        values: [firstLoad.reduce((sum, bytes) => sum + bytes, 0) / 1000],
      },
      ...(await measureRunning(bench, browser)),
      ...(await measureLogPage(browser)),
    ];
  } finally {
    await browser.close();
  }
};

async function measureRunning({ checkout, runs }: Bench, browser: Browser): Promise<readonly Figure[]> {
  const starts: number[] = [];
  const paints: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const begun = performance.now();
    const dashboard = checkout.start('dashboard', '--json');
    await dashboard.said('"url"');
    starts.push((performance.now() - begun) / 1000);
    const page = await (await browser.newContext()).newPage();
    await page.goto(JSON.parse(dashboard.printed()).url);
    paints.push(await readFirstPaint(page));
    await page.context().close();
    dashboard.signalGroup('SIGINT');
    await dashboard.ended;
  }

  const dashboard = checkout.start('dashboard', '--json');
  await dashboard.said('"url"');
  try {
    const pid = await findServer(dashboard.pid);
    const withoutTab = await readShare(pid);
    const page = await (await browser.newContext()).newPage();
    await page.goto(JSON.parse(dashboard.printed()).url);
    await page.locator('tr[data-part=auth-service] .is-good').first().waitFor();
    await sleep(10_000);
    const withTab = await readShare(pid);
    const delays = await measureChanges(checkout, page);
    return [
      { what: 'dashboard: address printed', unit: 's', values: starts, target: 0.8 },
      { what: 'dashboard: first paint', unit: 's', values: paints, target: 0.3 },
      { what: 'dashboard: change of a pod → pixel', unit: 'ms', values: delays, target: 300 },
      {
        what: 'dashboard: memory of the program',
        unit: 'MB',
        values: [await readMegabytes(pid)],
        target: 150,
      },
      { what: 'dashboard: CPU at rest, one tab', unit: '% of a core', values: [withTab], target: 1 },
      { what: 'dashboard: CPU at rest, no tab', unit: '% of a core', values: [withoutTab] },
    ];
  } finally {
    dashboard.signalGroup('SIGINT');
    await dashboard.ended;
  }
}

function readFirstPaint(page: Page): Promise<number> {
  return page.evaluate<number>(`new Promise((done) => {
    const look = () => {
      const [entry] = performance.getEntriesByName('first-contentful-paint');
      if (entry) done(entry.startTime / 1000); else setTimeout(look, 10);
    };
    look();
  })`);
}

/**
 * Annotates the Deployment of a service with the remark that `status` shows, and waits for its text to be drawn:
 * milliseconds from the request to the API server until then, on this machine's one clock.
 */
async function measureChanges(checkout: Bench['checkout'], page: Page): Promise<readonly number[]> {
  const proxy = $({
    quiet: true,
    nothrow: true,
  })`${kubectlOf(checkout)} --kubeconfig=${kubeconfigOf(checkout)} proxy --port=0`;
  try {
    let said = '';
    for await (const chunk of proxy.stdout) {
      said += chunk;
      if (said.includes('\n')) break;
    }
    const [, address] = /(127\.0\.0\.1:\d+)/.exec(said) ?? [];
    const url = `http://${address}/apis/apps/v1/namespaces/${namespace}/deployments/auth-service`;
    const values: number[] = [];
    for (let change = 0; change < changes; change += 1) {
      const text = `change-${change}`;
      const drawn = page.evaluate<number>(`new Promise((done) => {
        const look = () => {
          const cell = document.querySelector('tr[data-part=auth-service] .detail');
          if (cell?.textContent === ${JSON.stringify(text)}) done(Date.now()); else requestAnimationFrame(look);
        };
        look();
      })`);
      const begun = Date.now();
      const response = await fetch(url, {
        method: 'PATCH',
        headers: { 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify({ metadata: { annotations: { 'wealist.local/note': text } } }),
      });
      if (!response.ok) throw new Error(`the API server responded with ${response.status}`);
      values.push((await drawn) - begun);
    }
    return values;
  } finally {
    await proxy.kill();
  }
}

/** The process that serves: npm and its shell come before it. */
async function findServer(pid: number): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
  const [first = ''] = children;
  return first === '' ? pid : findServer(Number(first));
}

async function readMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
}

/** Percent of a core during the period. Ticks of Linux are hundredths of a second. */
async function readShare(pid: number): Promise<number> {
  const read = async () => {
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  };
  const before = await read();
  await sleep(period);
  return ((await read()) - before) / (period / 1000);
}
