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
      const contents = await Promise.all(nodeNames.map((node) => parts.nodes.list(node, signal)));
      const isLoaded = contents.every((content) => findUnloaded(wanted, content).length === 0);
      return isLoaded && `${wanted.length} images are on the node`;
    },
    async apply(run) {
      const wanted = await images();
      await Promise.all(nodeNames.map((node) => loadImages(wanted, node, parts, run)));
    },
  };
}
