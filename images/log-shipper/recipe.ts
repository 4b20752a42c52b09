import { join } from 'node:path';
import type { Recipe } from '../../src/images/build/recipe.ts';
import { users } from '../debian-parts.ts';

/** The OpenTelemetry Collector, less what a log shipper does not need, where the image of its Kubernetes edition has it. */
export const recipe: Recipe = {
  minutes: 3,
  async build({ goProgram, layer, image }) {
    const collector = await goProgram({
      module: join(import.meta.dirname, 'build'),
      package: 'wealist.local/log-shipper',
    });
    const program = await layer([
      ...users({ name: 'otel', id: 10_001 }),
      { path: 'tmp', mode: 0o1777, folder: true },
      { path: 'otelcol-k8s', file: collector },
    ]);
    return image([program], { Entrypoint: ['/otelcol-k8s'], Env: ['PATH=/'], User: '10001:10001' });
  },
};
