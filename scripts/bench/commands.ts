import type { Benchmark } from './bench.ts';
import { repeat } from './figure.ts';
import { runNode } from './run.ts';

/** The most frequent commands, when nothing has changed. */
export const measureCommands: Benchmark = async ({ checkout, runs }) => {
  const wealist = (...args: string[]) => repeat(runs, () => runNode(checkout, ['src/bin.js', ...args]));
  return [
    { what: 'bare node', unit: 's', values: await repeat(runs, () => runNode(checkout, ['--eval', '0'])) },
    { what: '--help', unit: 's', values: await wealist('--help'), target: 0.4 },
    { what: 'status', unit: 's', values: await wealist('status'), target: 1 },
    {
      what: 'up, nothing changed',
      unit: 's',
      values: await wealist('up', `--name=${checkout.name}`),
      target: 2,
    },
    {
      what: 'reload, nothing changed',
      unit: 's',
      values: await wealist('reload', 'noti-service'),
      target: 1,
    },
  ];
};
