import type { Recipe } from '../../src/images/build/recipe.ts';

/** metrics-server as its own image has it: one program. */
export const recipe: Recipe = {
  minutes: 4,
  async build({ goProgram, layer, image }) {
    const program = await goProgram({
      package: 'sigs.k8s.io/metrics-server/cmd/metrics-server',
      version: 'v0.9.0',
    });
    return image([await layer([{ path: 'metrics-server', file: program }])], {
      Entrypoint: ['/metrics-server'],
      Env: ['PATH=/'],
    });
  },
};
