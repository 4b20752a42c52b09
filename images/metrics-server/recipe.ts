import type { Recipe } from '../../src/images/build/recipe.ts';

/** Only metrics-server, at the path of its upstream image. */
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
