import { sleep } from 'zx';
import { withBareCluster } from './bare-cluster.ts';
import type { Benchmark } from './bench.ts';
import { repeat } from './figure.ts';

/** Creates a cluster with kind alone, and with `up`; starts a stopped one with `up`. */
export const measureCluster: Benchmark = async ({ checkout, longRuns }) => {
  const create = async () => {
    const start = performance.now();
    return withBareCluster(checkout, async () => (performance.now() - start) / 1000);
  };
  const upAfter = async (...words: readonly string[]) => {
    const { exitCode, stderr } = await checkout.run('down', ...words);
    if (exitCode !== 0) throw new Error(`down failed:\n${stderr}`);
    // Background work after removing the cluster is not measured.
    await sleep(5_000);
    return (await checkout.up()).milliseconds / 1000;
  };
  return [
    { what: 'kind create cluster, alone', unit: 's', values: await repeat(longRuns, create) },
    {
      what: 'up: no cluster → all ready and responding',
      unit: 's',
      values: await repeat(longRuns, () => upAfter()),
      target: 32,
    },
    {
      what: 'up: node stopped → all ready and responding',
      unit: 's',
      values: await repeat(longRuns, () => upAfter('--stop')),
      target: 15,
    },
  ];
};
