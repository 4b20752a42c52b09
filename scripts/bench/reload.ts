import { sleep } from 'zx';
import { requestJson } from '../../test/e2e/ingress.ts';
import type { Bench, Benchmark } from './bench.ts';
import { type Figure, repeat } from './figure.ts';

const service = 'noti-service';
/** A file of the service, which is updated live, and a shared file, which requires an image. */
const own = 'services/noti-service/service.ts';
const shared = 'services/common/log.ts';

interface Result {
  readonly services: readonly { readonly phases: Readonly<Record<string, number>> }[];
  readonly milliseconds: number;
}

/** Measures the time from a change to the new response through the ingress. */
export const measureReload: Benchmark = async (bench) => [
  ...(await measureOnce(bench)),
  ...(await measureWatch(bench)),
];

/** Measures `npm run reload` of a changed stand-in, in total and by phase. */
async function measureOnce({ checkout, runs }: Bench): Promise<readonly Figure[]> {
  const results: Result[] = [];
  const seconds = await repeat(runs, async (run) => {
    await changeFile(checkout, shared, `once ${run}`);
    const { stdout, stderr, exitCode, seconds } = await checkout.run('reload', service, '--json');
    if (exitCode !== 0) throw new Error(stderr);
    if (run > 0) results.push(JSON.parse(stdout));
    await rest();
    return seconds;
  });
  const phases = [...new Set(results.flatMap(({ services }) => Object.keys(services[0]?.phases ?? {})))];
  return [
    { what: 'reload of a changed stand-in', unit: 's', values: seconds, target: 2.8 },
    ...phases.map(
      (phase): Figure => ({
        what: `  of it: ${phase}`,
        unit: 's',
        values: results.map(({ services }) => (services[0]?.phases[phase] ?? 0) / 1000),
      }),
    ),
  ];
}

/** Measures `reload --watch` from a save until the new code responds, with a request every 10 ms. */
async function measureWatch(bench: Bench): Promise<readonly Figure[]> {
  const { checkout, runs } = bench;
  const watching = checkout.start('reload', service, '--watch');
  try {
    await watching.said(`${service} already running`);
    const measure = (path: string) => repeat(runs, (run) => timeSave(bench, path, `watch ${run}`));
    return [
      { what: 'save → new response, live update', unit: 's', values: await measure(own), target: 0.25 },
      { what: 'save → new response, with an image', unit: 's', values: await measure(shared), target: 1.8 },
    ];
  } finally {
    watching.signalGroup('SIGINT');
    await watching.ended;
  }
}

async function timeSave({ checkout, origin }: Bench, path: string, mark: string): Promise<number> {
  const readHash = async () => (await requestJson<{ sourceHash: string }>(`${origin}svc/noti/`)).sourceHash;
  const before = await readHash();
  const start = performance.now();
  await changeFile(checkout, path, mark);
  while ((await readHash()) === before) {
    if (performance.now() - start > 60_000)
      throw new Error(`no new response within 60 s after ${path} was saved`);
    await sleep(10);
  }
  const seconds = (performance.now() - start) / 1000;
  await rest();
  return seconds;
}

/**
 * Waits between two saves, like a user. The time is random, because the kubelet checks its containers once a second and
 * would otherwise always be at the same point of its cycle.
 */
async function rest(): Promise<void> {
  await sleep(2_000 + Math.random() * 1_000);
}

async function changeFile(checkout: Bench['checkout'], path: string, mark: string): Promise<void> {
  // The source must be new, or its image would already exist.
  const line = `// bench ${mark} ${Date.now()}`;
  await checkout.edit(path, (text) => `${text.replace(/\n\/\/ bench .*\n$/, '\n')}${line}\n`);
}
