import { join } from 'node:path';
import type { Recipe } from '../../src/images/build/recipe.ts';

const version = '3.6.12';

/** Only Traefik, on PATH as in its upstream image. */
export const recipe: Recipe = {
  minutes: 5,
  async build({ goProgram, layer, image }) {
    const traefik = await goProgram({
      module: join(import.meta.dirname, 'build'),
      package: 'github.com/traefik/traefik/v3/cmd/traefik',
      ldflags: `-X github.com/traefik/traefik/v3/pkg/version.Version=${version}`,
    });
    return image([await layer([{ path: 'usr/local/bin/traefik', file: traefik }])], {
      Entrypoint: ['/usr/local/bin/traefik'],
      Env: ['PATH=/usr/local/bin'],
    });
  },
};
