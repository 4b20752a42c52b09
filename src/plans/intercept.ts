import type { ImageChain } from '../images/chain.ts';
import type { LoadDeps } from '../images/load/load-images.ts';
import type { Plan } from '../plan/plan.ts';
import { ensureImage } from '../steps/ensure-image.ts';
import { loadOntoNodes } from '../steps/load-images.ts';
import { type AgentDeps, startAgent } from '../steps/start-agent.ts';
import { requireFound } from './up-deps.ts';

/** The image of the agent: the stand-ins' base, which has Node.js. */
const agentImage = 'service-base';

export interface InterceptPlanDeps extends Omit<AgentDeps, 'findImage'> {
  readonly chain: ImageChain;
  readonly load: LoadDeps;
}

/** A service's agent runs; its Service still routes to its own pods. */
export function planAgent(deps: InterceptPlanDeps): Plan {
  const { chain, load, nodeNames } = deps;
  const findImage = () => requireFound(chain.find(agentImage), agentImage);
  return [
    { title: 'Image', steps: [ensureImage(chain, agentImage)] },
    {
      title: 'Nodes',
      steps: [
        loadOntoNodes({
          ...load,
          nodeNames: async () => nodeNames,
          images: async () => [await findImage()],
        }),
      ],
    },
    {
      title: 'Agent',
      steps: [startAgent({ ...deps, findImage: async () => (await findImage()).reference })],
    },
  ];
}
