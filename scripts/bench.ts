// Measures the README's table of figures: `npm run bench`, on a machine where `up` has run before. Works on a copy of
// this checkout with its own cluster, which is removed at the end. `-- --only load,forward` measures only these.
import { cpus, loadavg, totalmem } from 'node:os';
import { argv, chalk, fs } from 'zx';
import { makeCheckout } from '../test/e2e/checkout.ts';
import type { Benchmark } from './bench/bench.ts';
import { measureCluster } from './bench/cluster.ts';
import { measureClusterLogs } from './bench/cluster-logs.ts';
import { measureCommands } from './bench/commands.ts';
import { measureCompiled } from './bench/compiled.ts';
import { measureDashboard } from './bench/dashboard.ts';
import { describeFigures, type Figure, summarize } from './bench/figure.ts';
import { measureForward } from './bench/forward.ts';
import { measureIdle } from './bench/idle.ts';
import { measureIntercept } from './bench/intercept.ts';
import { measureLoad } from './bench/load.ts';
import { measureLogs } from './bench/logs.ts';
import { measureMany } from './bench/many.ts';
import { measureReload } from './bench/reload.ts';

const benchmarks: Readonly<Record<string, Benchmark>> = {
  commands: measureCommands,
  reload: measureReload,
  compiled: measureCompiled,
  load: measureLoad,
  forward: measureForward,
  intercept: measureIntercept,
  logs: measureLogs,
  'cluster-logs': measureClusterLogs,
  dashboard: measureDashboard,
  idle: measureIdle,
  many: measureMany,
  cluster: measureCluster,
};

const runs = Number(argv.runs ?? 5);
const out = String(argv.out ?? '.wealist/bench.json');
const chosen = argv.only === undefined ? Object.keys(benchmarks) : String(argv.only).split(',');
const unknown = chosen.filter((name) => !(name in benchmarks));
if (unknown.length > 0 || !Number.isInteger(runs) || runs < 1) {
  process.stderr.write(
    `${chalk.red('✗')} npm run bench -- [--runs 5] [--only ${Object.keys(benchmarks).join(',')}] [--out ${out}]\n`,
  );
  process.exit(2);
}

const checkout = await makeCheckout();
const figures: Figure[] = [];
try {
  say('up');
  const { addresses } = await checkout.up();
  const bench = { checkout, origin: addresses[0]?.url ?? '', runs, longRuns: Math.min(runs, 3) };
  for (const name of chosen) {
    say(name);
    figures.push(...((await benchmarks[name]?.(bench)) ?? []));
  }
} finally {
  await checkout.remove();
}
process.stdout.write(`${toMachine()}\n\n${describeFigures(figures)}\n`);
await fs.outputJson(
  out,
  {
    at: new Date().toISOString(),
    machine: toMachine(),
    figures: figures.map((each) => ({ ...each, ...summarize(each.values) })),
  },
  { spaces: 2 },
);

function say(text: string): void {
  process.stderr.write(`${chalk.dim(new Date().toTimeString().slice(0, 8))} ${text}\n`);
}

function toMachine(): string {
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  const load = loadavg()[0]?.toFixed(1);
  return `${cpus().length} × ${cpu?.model.trim()}, ${gigabytes} GiB, Node ${process.versions.node}, load ${load}`;
}
