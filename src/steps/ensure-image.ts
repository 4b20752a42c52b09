import type { ImageChain, ImageName } from '../images/chain.ts';
import type { Step } from '../plan/plan.ts';

/** An outside image is in the store: pulled, or built from packages. */
export function ensureImage(chain: ImageChain, name: ImageName): Step {
  return {
    title: `image ${name}`,
    async isDone() {
      const found = await chain.find(name);
      return found ? `${found.origin}, ${found.reference}` : false;
    },
    async apply(run) {
      await chain.ensure(name, run);
    },
  };
}

/** The node's image is in the engine, from which kind starts nodes. */
export function ensureNodeImage(chain: ImageChain): Step {
  return {
    title: 'image node',
    async isDone() {
      const found = await chain.findNode();
      return found ? `${found.origin}, ${found.reference}` : false;
    },
    async apply(run) {
      await chain.ensureNode(run);
    },
  };
}
