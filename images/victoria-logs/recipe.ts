import { join } from 'node:path';
import type { Recipe } from '../../src/images/build/recipe.ts';
import { users } from '../debian-parts.ts';

const version = 'v1.52.1';

/** Only VictoriaLogs (Apache-2.0), at the path of its upstream image. */
export const recipe: Recipe = {
  minutes: 1,
  async build({ goProgram, layer, image }) {
    const victoriaLogs = await goProgram({
      module: join(import.meta.dirname, 'build'),
      package: 'github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs',
      ldflags: `-X github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version=victoria-logs-${version}`,
    });
    const program = await layer([
      ...users({ name: 'victoria-logs', id: 10_001 }),
      { path: 'tmp', mode: 0o1777, folder: true },
      { path: 'victoria-logs-prod', file: victoriaLogs },
    ]);
    return image([program], { Entrypoint: ['/victoria-logs-prod'], Env: ['PATH=/'], User: '10001:10001' });
  },
};
