import type { Recipe } from '../../src/images/build/recipe.ts';
import { path, shell, users } from '../debian-parts.ts';

/** The base of the services' images: Node.js 20 of Debian and a shell. */
export const recipe: Recipe = {
  minutes: 1,
  async build({ debianRoot, layer, image }) {
    const root = await debianRoot({
      suite: 'trixie',
      variant: 'extract',
      packages: ['base-files', 'busybox-static', 'ca-certificates', 'nodejs'],
    });
    const settings = await layer([
      ...users({ name: 'service', id: 10_001 }),
      ...shell,
      { path: 'tmp', mode: 0o1777, folder: true },
    ]);
    return image([root, settings], {
      Cmd: ['node'],
      Env: [path, 'NODE_ENV=production'],
      User: '10001:10001',
    });
  },
};
