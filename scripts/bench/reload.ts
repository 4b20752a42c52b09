import { sleep } from 'zx';
import { requestJson } from '../../test/e2e/ingress.ts';
import type { Bench, Benchmark } from './bench.ts';
import { type Figure, repeat } from './figure.ts';

const service = 'noti-service';
/** In its own folder, which goes live; and of what all stand-ins share, which takes an image. */
const own = 'services/noti-service/service.ts';
const shared = 'services/common/log.ts';

interface Result {
  readonly services: readonly { readonly phases: Readonly<Record<string, number>> }[];
  readonly milliseconds: number;
}

/** From a changed source to its answer through the ingress. */
export const measureReload: Benchmark = async (bench) => [
  ...(await measureOnce(bench)),
  ...(await measureWatch(bench)),
];

/** `npm run reload` of a changed stand-in, whole and by its phases. */
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

/** `reload --watch`: from a save until its code answers, asked every 10 ms. */
async function measureWatch(bench: Bench): Promise<readonly Figure[]> {
  const { checkout, runs } = bench;
  const watching = checkout.start('reload', service, '--watch');
  try {
    await watching.said(`${service} already running`);
    const measure = (path: string) => repeat(runs, (run) => timeSave(bench, path, `watch ${run}`));
    return [
      { what: 'save → answered, live update', unit: 's', values: await measure(own), target: 0.25 },
      { what: 'save → answered, by an image', unit: 's', values: await measure(shared), target: 1.8 },
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
    if (performance.now() - start > 60_000) throw new Error(`${path} was saved, and not answered in 60 s`);
    await sleep(10);
  }
  const seconds = (performance.now() - start) / 1000;
  await rest();
  return seconds;
}

/**
 * A person does not save again before the last save has come to rest; nor always at the same distance, at which the
 * kubelet, which looks at its containers once a second, would be met at the same moment each time.
 */
async function rest(): Promise<void> {
  await sleep(2_000 + Math.random() * 1_000);
}

async function changeFile(checkout: Bench['checkout'], path: string, mark: string): Promise<void> {
  // A source that no earlier run can have built: its image would be there.
  const line = `// bench ${mark} ${Date.now()}`;
  await checkout.edit(path, (text) => `${text.replace(/\n\/\/ bench .*\n$/, '\n')}${line}\n`);
}
