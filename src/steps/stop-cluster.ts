import type { FoundCluster } from '../cluster/ownership.ts';
import type { Step } from '../plan/plan.ts';
import type { Toolchain } from '../tools/toolchain.ts';

/** Stops the nodes; what they contain is preserved until they are started again. */
export function stopCluster({ docker }: Pick<Toolchain, 'docker'>, { name, nodes }: FoundCluster): Step {
  return {
    title: `stop cluster ${name}`,
    async isDone({ signal }) {
      const found = await Promise.all(nodes.map(({ id }) => docker.findContainer(id, { signal })));
      return found.every((container) => container?.state === 'exited') && 'already stopped';
    },
    async apply({ signal }) {
      await Promise.all(nodes.map(({ id }) => docker.stopContainer(id, { signal })));
    },
  };
}
