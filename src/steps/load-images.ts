import { findMissingImages } from '../images/load/delta.ts';
import { type LoadDeps, loadImages, toImageQuery } from '../images/load/load-images.ts';
import type { NamedImage } from '../images/store/archive.ts';
import type { Step } from '../plan/plan.ts';

export interface LoadStepDeps extends LoadDeps {
  /** Names of the nodes, asked once the cluster exists. */
  readonly nodeNames: (signal: AbortSignal) => Promise<readonly string[]>;
  /** The images, asked once they are in the store. */
  readonly images: () => Promise<readonly NamedImage[]>;
}

/** Every node has the images of all pods that may start on it. */
export function loadOntoNodes({ nodeNames, images, ...deps }: LoadStepDeps): Step {
  return {
    title: 'load images',
    async isDone({ signal }) {
      const [wanted, nodes] = await Promise.all([images(), nodeNames(signal)]);
      const query = toImageQuery(wanted);
      const contents = await Promise.all(nodes.map((node) => deps.nodes.list(node, query, signal)));
      const isLoaded = contents.every((content) => findMissingImages(wanted, content).length === 0);
      const isDone = nodes.length > 0 && isLoaded;
      return isDone && `${wanted.length} images are on ${nodes.length === 1 ? 'the node' : 'every node'}`;
    },
    async apply(run) {
      const [wanted, nodes] = await Promise.all([images(), nodeNames(run.signal)]);
      await Promise.all(nodes.map((node) => loadImages(wanted, node, deps, run)));
    },
  };
}
