import type { NamedImage } from '../images/archive.ts';
import { findUnloaded, type LoadParts, loadImages } from '../images/load.ts';
import type { Step } from '../lib/plan.ts';

export interface LoadStepParts extends LoadParts {
  /** Names of the nodes. */
  readonly nodeNames: readonly string[];
  /** The images, asked when they are in the store. */
  readonly images: () => Promise<readonly NamedImage[]>;
}

/** Every node has the images that pods there may start from. */
export function loadOntoNodes({ nodeNames, images, ...parts }: LoadStepParts): Step {
  return {
    title: 'load images',
    async isDone({ signal }) {
      const wanted = await images();
      const lacking = await Promise.all(nodeNames.map((node) => findUnloaded(wanted, node, parts, signal)));
      return lacking.every(({ length }) => length === 0) && `${wanted.length} images are on the node`;
    },
    async apply(run) {
      const wanted = await images();
      await Promise.all(
        nodeNames.map(async (node) => {
          const lacking = await findUnloaded(wanted, node, parts, run.signal);
          if (lacking.length > 0) await loadImages(lacking, node, parts, run);
        }),
      );
    },
  };
}
