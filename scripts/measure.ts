// What the README's table of figures comes from: `npm run measure`, on a machine where `up` has run before.
import { $, argv, chalk, sleep } from 'zx';

/** Runs of each command; the median is shown. */
const runs = Number(argv.runs ?? 5);
const service = 'storage-service';
const wealist = ['src/bin.js'];

interface Figure {
  readonly what: string;
  readonly seconds: readonly number[];
}

$.quiet = true;

const figures: Figure[] = [
  await measure('bare node', () => $`node -e 0`),
  await measure('--help', () => $`node ${wealist} --help`),
  await measure('up, nothing changed', () => $`node ${wealist} up`),
  await measure('status', () => $`node ${wealist} status`),
  await measure('reload, nothing changed', () => $`node ${wealist} reload ${service}`),
];
if (argv.cluster) {
  figures.push(
    await measure('down, then up: no cluster to all answering', async () => {
      await $`node ${wealist} down`;
      // What removing the cluster left to do is not part of making one.
      await sleep(5_000);
      return $`node ${wealist} up`;
    }),
  );
}
print(figures);

/** Seconds of the command's last process, over all runs after one that warms the caches. */
async function measure(what: string, run: () => PromiseLike<{ readonly duration: number }>): Promise<Figure> {
  await run();
  const seconds: number[] = [];
  for (let each = 0; each < runs; each += 1) seconds.push((await run()).duration / 1000);
  return { what, seconds };
}

/** Each figure beside the start of Node alone, since a time says little about another machine. */
function print(all: readonly Figure[]): void {
  const base = median(all[0]?.seconds ?? []);
  for (const { what, seconds } of all) {
    const middle = median(seconds);
    const range = `${Math.min(...seconds).toFixed(2)}-${Math.max(...seconds).toFixed(2)}`;
    const ratio = `${(middle / base).toFixed(1)} × node`;
    process.stdout.write(
      `${chalk.bold(middle.toFixed(2))} s  ${range.padEnd(12)} ${ratio.padEnd(14)} ${what}\n`,
    );
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
