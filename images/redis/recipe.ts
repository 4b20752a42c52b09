import type { Recipe } from '../../src/images/build/recipe.ts';
import { path, shell, users } from '../debian-parts.ts';

/** Redis 8 of Debian under the uid of the official image. */
export const recipe: Recipe = {
  minutes: 1,
  async build({ debianRoot, layer, image }) {
    const root = await debianRoot({
      suite: 'trixie',
      variant: 'extract',
      packages: ['base-files', 'busybox-static', 'redis-server', 'redis-tools'],
    });
    const settings = await layer([
      ...users({ name: 'redis', id: 999 }),
      ...shell,
      { path: 'data', mode: 0o1777, folder: true },
    ]);
    return image([root, settings], {
      Cmd: ['redis-server'],
      Env: [path],
      User: '999:999',
      WorkingDir: '/data',
    });
  },
};
