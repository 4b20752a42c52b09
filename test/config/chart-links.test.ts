import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { requireChartLinks } from '../../src/config/chart-links.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const chart = 'dependencies:\n  - name: wealist-common\n    repository: file://../wealist-common\n';

/** A checkout with two charts of services, the links of the second as given. */
async function makeCheckout(makeLinks: (folder: string) => Promise<void>): Promise<string> {
  const checkout = await makeTemporaryFolder();
  const charts = join(checkout, 'helm/charts');
  await mkdir(join(charts, 'wealist-common'), { recursive: true });
  await writeFile(join(charts, 'wealist-common/Chart.yaml'), 'apiVersion: v2\nname: wealist-common\n');
  await writeFile(join(checkout, 'helm/values.schema.json'), '{}');
  for (const name of ['auth-service', 'user-service']) {
    await mkdir(join(charts, name, 'charts'), { recursive: true });
    await writeFile(join(charts, name, 'Chart.yaml'), chart);
    if (name === 'user-service') await makeLinks(join(charts, name));
    else await linkAll(join(charts, name));
  }
  return checkout;
}

async function linkAll(folder: string): Promise<void> {
  await symlink('../../wealist-common', join(folder, 'charts/wealist-common'));
  await symlink('../../values.schema.json', join(folder, 'values.schema.json'));
}

test('the charts of this checkout have their links', async () => {
  await requireChartLinks(resolve(import.meta.dirname, '../..'));
  await requireChartLinks(await makeCheckout(linkAll));
});

test.each<[string, (folder: string) => Promise<void>]>([
  ['are missing', async () => {}],
  [
    'are text files, as git writes them where it may not make links',
    async (folder) => {
      await writeFile(join(folder, 'charts/wealist-common'), '../../wealist-common');
      await writeFile(join(folder, 'values.schema.json'), '../../values.schema.json');
    },
  ],
])('links that %s are refused, each with its place, before helm runs', async (_, makeLinks) => {
  const failure = await requireChartLinks(await makeCheckout(makeLinks)).catch((error: unknown) => error);
  expect(failure).toMatchObject({ exitCode: 2 });
  const lines = String((failure as Error).message).split('\n');
  expect(lines).toEqual(
    ['charts/wealist-common', 'values.schema.json'].map((link) =>
      expect.stringMatching(
        `^helm/charts/user-service/${link}: got no link .* git config core\\.symlinks true && git checkout -- helm$`,
      ),
    ),
  );
});
