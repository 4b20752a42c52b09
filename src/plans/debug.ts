import type { LoadDeps } from '../images/load/load-images.ts';
import type { NamedImage } from '../images/store/archive.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { type DebugServiceDeps, debugService } from '../steps/debug-service.ts';
import { loadOntoNodes } from '../steps/load-images.ts';

/** A service's pods are prepared for a debugger. */
export function planDebugRollout(deps: DebugServiceDeps): Plan {
  return [{ title: 'Rollout', steps: [debugService(deps)] }];
}

export interface DelvePlanDeps {
  readonly load: LoadDeps;
  readonly node: string;
  readonly build: (run: Parameters<Step['apply']>[0]) => Promise<NamedImage>;
}

/** Delve's image is on a pod's node. `reference` is its name there, once the plan has run. */
export function planDelve({ load, node, build }: DelvePlanDeps): {
  readonly plan: Plan;
  readonly reference: () => string;
} {
  let built: NamedImage | undefined;
  const requireBuilt = () => {
    if (!built) throw new Error('the image of Delve is not built');
    return built;
  };
  const image: Step = {
    title: 'image delve',
    async apply(run) {
      built = await build(run);
    },
  };
  const loaded = loadOntoNodes({
    ...load,
    nodeNames: async () => [node],
    images: async () => [requireBuilt()],
  });
  // Not asked before the image is built.
  const onNode: Step = { title: loaded.title, apply: (run) => loaded.apply(run) };
  const plan = [
    { title: 'Image', steps: [image] },
    { title: 'Node', steps: [onNode] },
  ];
  return { plan, reference: () => requireBuilt().reference };
}
