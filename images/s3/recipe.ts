import type { Recipe } from '../../src/images/build/recipe.ts';
import { path, shell, users } from '../debian-parts.ts';

/** VersityGW, an S3 server over a folder, with a shell as its own image has: the bootstrap job's script needs one. */
export const recipe: Recipe = {
  minutes: 1,
  async build({ debianRoot, goProgram, layer, image }) {
    const root = await debianRoot({
      suite: 'trixie',
      variant: 'extract',
      packages: ['base-files', 'busybox-static'],
    });
    const versitygw = await goProgram({
      package: 'github.com/versity/versitygw/cmd/versitygw',
      version: 'v1.8.0',
    });
    const program = await layer([
      ...users({ name: 'versitygw', id: 10_001 }),
      ...shell,
      { path: 'tmp', mode: 0o1777, folder: true },
      { path: 'usr/local/bin/versitygw', file: versitygw },
    ]);
    return image([root, program], { Entrypoint: ['/usr/local/bin/versitygw'], Env: [path] });
  },
};
