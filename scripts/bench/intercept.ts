import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from 'zx';
import { request } from '../../test/e2e/ingress.ts';
import { interrupt, startIntercept } from '../../test/e2e/intercepted.ts';
import { sendRequests } from '../../test/e2e/requests.ts';
import type { Bench, Benchmark } from './bench.ts';
import { type Figure, repeat, summarize, time, toPercentile95 } from './figure.ts';
import { getOnce, postOnce, timeRequests } from './requests.ts';

const service = 'board-service';
const source = 'services/board-service/service.ts';

/** Requests of one series, and bytes of one transfer. */
const requests = 300;
const size = 12_000_000;
const transfers = 5;

/** A route of the stand-in, for its pod and for its program on this machine alike. */
const route = `
      {
        method: 'GET',
        path: '/bench',
        handle: () => ({ body: Buffer.alloc(${size}) }),
      },
      {
        method: 'POST',
        path: '/bench',
        async handle({ message }) {
          for await (const _ of message);
          return { body: 'ok' };
        },
      },`;

/** Compares a service's pod with its program on this machine, both asked through the ingress, in turn. */
export const measureIntercept: Benchmark = async (bench) => {
  const { checkout, runs } = bench;
  const undo = await checkout.edit(source, (text) =>
    text.replace('    return [\n', `    return [${route}\n`),
  );
  try {
    const { exitCode, stderr } = await checkout.run('reload', service);
    if (exitCode !== 0) throw new Error(stderr);
    const pod: Measured[] = [];
    const local: Measured[] = [];
    const ready: number[] = [];
    const failed: number[] = [];
    for (let run = 0; run < Math.min(runs, 3); run += 1) {
      pod.push(await measure(bench));
      const asking = sendRequests(`${bench.origin}svc/board/health/live`);
      await sleep(1_000);
      const start = performance.now();
      const running = await startIntercept(checkout, service, process.execPath, '--import', 'tsx', 'main.ts');
      ready.push((performance.now() - start) / 1000);
      // Its pods are replaced after this.
      await sleep(8_000);
      const during = await asking.stop();
      local.push(await measure(bench));
      const leaving = sendRequests(`${bench.origin}svc/board/health/live`);
      await sleep(500);
      await interrupt(running);
      await sleep(1_000);
      const all = [...during, ...(await leaving.stop())];
      failed.push(all.filter(({ status }) => status !== 200).length);
    }
    return [
      ...describe('pod, through the ingress', pod),
      ...describe('intercepted, through the ingress', local),
      ...toDifferences(pod, local),
      { what: 'intercept: command → requests go to the program', unit: 's', values: ready, target: 3 },
      { what: 'begin and end, one request each 10 ms: failed', unit: 'requests', values: failed, target: 0 },
      await measureSave(bench),
    ];
  } finally {
    await undo();
    await checkout.run('reload', service);
  }
};

interface Measured {
  readonly keptAlive: readonly number[];
  readonly renewed: readonly number[];
  /** MB per second. */
  readonly up: readonly number[];
  readonly down: readonly number[];
}

async function measure({ origin }: Bench): Promise<Measured> {
  const url = `${origin}svc/board/`;
  const keptAlive = await timeRequests(`${url}health/live`, requests, 'kept alive');
  const renewed = await timeRequests(`${url}health/live`, requests, 'new');
  const body = randomBytes(size);
  const toRate = async (work: () => Promise<unknown>) => size / 1e6 / (await time(work));
  const up = await repeat(transfers, () => toRate(() => postOnce(`${url}bench`, body)));
  const down = await repeat(transfers, () => toRate(() => getOnce(`${url}bench`)));
  return { keptAlive, renewed, up, down };
}

const medianOf = (values: readonly number[]) => summarize(values).median;

function describe(what: string, all: readonly Measured[]): readonly Figure[] {
  return [
    { what: `${what}: request, kept alive`, unit: 'ms', values: all.flatMap(({ keptAlive }) => keptAlive) },
    { what: '  95 of 100', unit: 'ms', values: all.map(({ keptAlive }) => toPercentile95(keptAlive)) },
    { what: `${what}: request, new connection`, unit: 'ms', values: all.flatMap(({ renewed }) => renewed) },
    { what: '  95 of 100', unit: 'ms', values: all.map(({ renewed }) => toPercentile95(renewed)) },
    { what: `${what}: 12 MB up`, unit: 'MB/s', values: all.flatMap(({ up }) => up) },
    { what: `${what}: 12 MB down`, unit: 'MB/s', values: all.flatMap(({ down }) => down) },
  ];
}

/** The medians of the program against those of the pod, series by series; half of the pod's rate is the target. */
function toDifferences(pod: readonly Measured[], local: readonly Measured[]): readonly Figure[] {
  const compare = (key: keyof Measured, toValue: (local: number, pod: number) => number) =>
    local.map((each, at) => toValue(medianOf(each[key]), medianOf(pod[at]?.[key] ?? [])));
  const more = (one: number, other: number) => one - other;
  const share = (one: number, other: number) => (100 * one) / other;
  return [
    { what: 'more than the pod, kept alive', unit: 'ms', values: compare('keptAlive', more), target: 3 },
    { what: 'more than the pod, new connection', unit: 'ms', values: compare('renewed', more), target: 3 },
    { what: 'of the rate of the pod, up', unit: '%', values: compare('up', share), target: 50 },
    { what: 'of the rate of the pod, down', unit: '%', values: compare('down', share), target: 50 },
  ];
}

/** From a save until the new response of a program under `node --watch` comes through the ingress. */
async function measureSave({ checkout, origin, runs }: Bench): Promise<Figure> {
  const file = join(checkout.root, 'saved.mjs');
  const write = (text: string) =>
    writeFile(
      file,
      `import { createServer } from 'node:http';
createServer((_, response) => response.end('${text}')).listen(Number(process.env.PORT), '127.0.0.1');\n`,
    );
  await write('first');
  const running = await startIntercept(checkout, service, process.execPath, '--watch', file);
  const values = await repeat(runs, async (run) => {
    await sleep(1_000);
    const seconds = await time(async () => {
      await write(`save ${run}`);
      while ((await request(`${origin}svc/board/x`)).body !== `save ${run}`) await sleep(10);
    });
    return seconds;
  });
  await interrupt(running);
  return { what: 'node --watch: save → new response', unit: 's', values, target: 0.5 };
}
