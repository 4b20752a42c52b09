import { rm } from 'node:fs/promises';
import { type FoundCluster, findCluster, removeNodes, requireOwn } from '../cluster/ownership.ts';
import type { Step } from '../plan/plan.ts';
import type { Toolchain } from '../tools/toolchain.ts';

/** The cluster's containers are gone; the volumes' folders stay. Only what carries this checkout's mark is removed. */
export function deleteCluster(
  { docker }: Pick<Toolchain, 'docker'>,
  { name }: FoundCluster,
  { checkoutId, kubeconfig }: { readonly checkoutId: string; readonly kubeconfig: string | undefined },
): Step {
  return {
    title: `remove cluster ${name}`,
    async isDone({ signal }) {
      return (await findCluster(docker, name, signal)) === undefined && 'not there';
    },
    async apply({ signal }) {
      const found = await findCluster(docker, name, signal);
      if (found) requireOwn(found, checkoutId);
      await removeNodes(docker, name, signal);
      if (kubeconfig !== undefined) await rm(kubeconfig, { force: true });
    },
  };
}
