import type { Recipe } from '../../src/images/recipe.ts';

/** VersityGW, an S3 server over a folder: the program on PATH. */
export const recipe: Recipe = {
  minutes: 1,
  async build({ goProgram, layer, image }) {
    const versitygw = await goProgram({
      package: 'github.com/versity/versitygw/cmd/versitygw',
      version: 'v1.8.0',
    });
    return image([await layer([{ path: 'usr/local/bin/versitygw', file: versitygw }])], {
      Entrypoint: ['/usr/local/bin/versitygw'],
      Env: ['PATH=/usr/local/bin'],
    });
  },
};
