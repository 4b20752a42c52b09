// Uses a cluster for an hour and tells whether anything grows: `npm run soak -- --minutes 60 --seed 1`, on Linux, on a
// machine where `up` has run before. Works on a copy of this checkout with its own cluster, data and cache, which are removed
// at the end.
import { argv, chalk } from 'zx';
import { makeCheckout } from '../test/e2e/checkout.ts';
import { createRandom } from '../test/e2e/random.ts';
import { describeSoak } from './soak/report.ts';
import { soak } from './soak/soak.ts';

const minutes = Number(argv.minutes ?? 60);
const seed = Number(argv.seed ?? Math.floor(Math.random() * 1_000_000));
const known = ['_', 'minutes', 'seed', 'json'];
const unknown = Object.keys(argv).filter((name) => !known.includes(name));
if (unknown.length > 0 || argv._.length > 0 || !(minutes > 0) || !Number.isInteger(seed) || seed < 0) {
  fail('npm run soak -- [--minutes 60] [--seed 1] [--json]');
}
if (process.platform !== 'linux') fail('npm run soak reads /proc: run it on Linux');

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    say('ending after this operation; its cluster is removed');
    stopping.abort();
  });
}

say(`seed ${seed}: npm run soak -- --minutes ${minutes} --seed ${seed}`);
const checkout = await makeCheckout();
try {
  const { signal } = stopping;
  const result = await soak(checkout, { minutes, seed, random: createRandom(seed), say, signal });
  process.stdout.write(`${argv.json ? JSON.stringify(result, undefined, 2) : describeSoak(result)}\n`);
  process.exitCode = result.passed ? 0 : 1;
  if (signal.aborted) process.exitCode = 130;
} catch (error) {
  process.stderr.write(`${chalk.red('✗')} ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await checkout.remove();
}

function say(text: string): void {
  process.stderr.write(`${chalk.dim(new Date().toTimeString().slice(0, 8))} ${text}\n`);
}

function fail(text: string): never {
  process.stderr.write(`${chalk.red('✗')} ${text}\n`);
  process.exit(2);
}
