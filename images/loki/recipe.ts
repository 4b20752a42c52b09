import { join } from 'node:path';
import type { Recipe } from '../../src/images/build/recipe.ts';
import { users } from '../debian-parts.ts';

const version = '3.7.8';

/** Only Loki, at the path of its upstream image. */
export const recipe: Recipe = {
  minutes: 6,
  async build({ goProgram, layer, image }) {
    const loki = await goProgram({
      module: join(import.meta.dirname, 'build'),
      package: 'github.com/grafana/loki/v3/cmd/loki',
      ldflags: `-X github.com/grafana/loki/v3/pkg/util/build.Version=${version}`,
    });
    const program = await layer([
      ...users({ name: 'loki', id: 10_001 }),
      { path: 'tmp', mode: 0o1777, folder: true },
      { path: 'usr/bin/loki', file: loki },
    ]);
    return image([program], { Entrypoint: ['/usr/bin/loki'], Env: ['PATH=/usr/bin'], User: '10001:10001' });
  },
};
