import type { NamedImage } from '../images/archive.ts';
import { findUnloaded, type LoadParts, loadImages } from '../images/load.ts';
import type { Step } from '../lib/plan.ts';

export interface LoadStepParts extends LoadParts {
  /** Names of the nodes, asked when the cluster is there. */
  readonly nodeNames: (signal: AbortSignal) => Promise<readonly string[]>;
  /** The images, asked when they are in the store. */
  readonly images: () => Promise<readonly NamedImage[]>;
}

/** Every node has the images that pods there may start from. */
export function loadOntoNodes({ nodeNames, images, ...parts }: LoadStepParts): Step {
  return {
    title: 'load images',
    async isDone({ signal }) {
      const [wanted, nodes] = await Promise.all([images(), nodeNames(signal)]);
      const lacking = await Promise.all(nodes.map((node) => findUnloaded(wanted, node, parts, signal)));
      const isDone = nodes.length > 0 && lacking.every(({ length }) => length === 0);
      return isDone && `${wanted.length} images are on ${nodes.length === 1 ? 'the node' : 'every node'}`;
    },
    async apply(run) {
      const [wanted, nodes] = await Promise.all([images(), nodeNames(run.signal)]);
      await Promise.all(
        nodes.map(async (node) => {
          const lacking = await findUnloaded(wanted, node, parts, run.signal);
          if (lacking.length > 0) await loadImages(lacking, node, parts, run);
        }),
      );
    },
  };
}
