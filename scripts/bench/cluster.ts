import { join } from 'node:path';
import { $, sleep } from 'zx';
import { docker, nodeOf } from '../../test/e2e/cluster.ts';
import type { Benchmark } from './bench.ts';
import { repeat, time } from './figure.ts';

/** Creates a cluster with kind alone, and with `up`. */
export const measureCluster: Benchmark = async ({ checkout, longRuns }) => {
  const [image = ''] = await docker('inspect', '--format={{.Config.Image}}', nodeOf(checkout.name));
  const kind = join(checkout.root, '.wealist/bin/kind');
  const name = `${checkout.name}-bare`;
  const kubeconfig = join(checkout.folder, 'bare-kubeconfig');
  const create = async () => {
    try {
      return await time(
        () =>
          $({
            quiet: true,
          })`${kind} create cluster --name=${name} --image=${image} --kubeconfig=${kubeconfig}`,
      );
    } finally {
      await $({ quiet: true })`${kind} delete cluster --name=${name} --kubeconfig=${kubeconfig}`;
    }
  };
  const up = async () => {
    const { exitCode, stderr } = await checkout.run('down');
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
      values: await repeat(longRuns, up),
      target: 60,
    },
  ];
};
