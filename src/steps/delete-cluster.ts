import { rm } from 'node:fs/promises';
import { type FoundCluster, findCluster, requireOwn } from '../cluster/ownership.ts';
import type { Step } from '../plan/plan.ts';
import type { Toolchain } from '../tools/toolchain.ts';
import { removeNodes } from './remove-nodes.ts';

/** Removes the cluster's containers; the volumes' folders stay. Refuses a cluster that this checkout does not own. */
export function deleteCluster(
  { docker }: Pick<Toolchain, 'docker'>,
  { name }: FoundCluster,
  { checkoutId, kubeconfig }: { readonly checkoutId: string; readonly kubeconfig: string | undefined },
): Step {
  return {
    title: `remove cluster ${name}`,
    async isDone({ signal }) {
      return (await findCluster(docker, name, signal)) === undefined && 'not found';
    },
    async apply({ signal }) {
      const found = await findCluster(docker, name, signal);
      if (found) requireOwn(found, checkoutId);
      await removeNodes(docker, name, signal);
      if (kubeconfig !== undefined) await rm(kubeconfig, { force: true });
    },
  };
}
