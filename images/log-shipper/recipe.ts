import { join } from 'node:path';
import type { Recipe } from '../../src/images/build/recipe.ts';
import { users } from '../debian-parts.ts';

/** The OpenTelemetry Collector with only the components of a log shipper, at the path of its Kubernetes image. */
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
