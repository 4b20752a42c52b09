import type { FoundCluster } from '../cluster/ownership.ts';
import type { Step } from '../lib/plan.ts';
import type { Toolchain } from '../tools/toolchain.ts';

/** The node is stopped, and all it had comes back when it is started. */
export function stopCluster({ docker }: Pick<Toolchain, 'docker'>, { name, node }: FoundCluster): Step {
  return {
    title: `stop cluster ${name}`,
    async isDone({ signal }) {
      return (await docker.findContainer(node, { signal }))?.state === 'exited' && 'stopped already';
    },
    async apply({ signal }) {
      await docker.stopContainer(node, { signal });
    },
  };
}
