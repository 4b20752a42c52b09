import { join } from 'node:path';
import { $ } from 'zx';
import type { Checkout } from '../../test/e2e/checkout.ts';
import { docker, nodeOf } from '../../test/e2e/cluster.ts';

/** Runs `work` beside a cluster that kind alone has created from the checkout's node image, and removes that cluster. */
export async function withBareCluster<T>(checkout: Checkout, work: (name: string) => Promise<T>): Promise<T> {
  const name = `${checkout.name}-bare`;
  try {
    await createBareCluster(checkout, name);
    return await work(name);
  } finally {
    await $({ quiet: true })`${kindOf(checkout)} delete cluster --name=${name} ${kubeconfigFlag(checkout)}`;
  }
}

async function createBareCluster(checkout: Checkout, name: string): Promise<void> {
  const [image = ''] = await docker('inspect', '--format={{.Config.Image}}', nodeOf(checkout.name));
  const flags = [`--name=${name}`, `--image=${image}`, kubeconfigFlag(checkout)];
  await $({ quiet: true })`${kindOf(checkout)} create cluster ${flags}`;
}

function kindOf({ root }: Checkout): string {
  return join(root, '.wealist/bin/kind');
}

function kubeconfigFlag({ folder }: Checkout): string {
  return `--kubeconfig=${join(folder, 'bare-kubeconfig')}`;
}
