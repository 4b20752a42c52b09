import type { Recipe } from '../../src/images/build/recipe.ts';
import { path, shell, users } from '../debian-parts.ts';

/** Prometheus of Debian with promtool, under the uid of the official image. It has the older web interface at /classic. */
export const recipe: Recipe = {
  minutes: 1,
  async build({ debianRoot, layer, image }) {
    const root = await debianRoot({
      suite: 'trixie',
      variant: 'extract',
      packages: ['base-files', 'busybox-static', 'ca-certificates', 'prometheus'],
    });
    const settings = await layer([
      ...users({ name: 'prometheus', id: 65_534 }),
      ...shell,
      { path: 'tmp', mode: 0o1777, folder: true },
    ]);
    return image([root, settings], {
      Entrypoint: ['/usr/bin/prometheus'],
      Env: [path],
      User: '65534:65534',
    });
  },
};
