import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigFailure, type Problem } from './problems.ts';

/** The links of a chart into `helm/`, each with a file that can be read through it and what that begins with. */
const links = [
  { link: 'charts/wealist-common', file: 'charts/wealist-common/Chart.yaml', start: 'apiVersion:' },
  { link: 'values.schema.json', file: 'values.schema.json', start: '{' },
] as const;

/**
 * Refuses charts whose links lead nowhere, before a cluster exists. Git writes links as text files where
 * `core.symlinks` is false, and archives lose them; Helm would report a missing dependency in the middle of a run.
 * @throws {ConfigFailure} that names every such link.
 */
export async function requireChartLinks(checkout: string): Promise<void> {
  const folder = 'helm/charts';
  const names = await readdir(join(checkout, folder)).catch(() => []);
  const found = await Promise.all(
    names.sort().map(async (name): Promise<readonly Problem[]> => {
      const chart = join(folder, name);
      const text = await readFile(join(checkout, chart, 'Chart.yaml'), 'utf8').catch(() => '');
      if (!text.includes('file://../wealist-common')) return [];
      const broken = await Promise.all(
        links.map(async ({ link, file, start }) => {
          const content = await readFile(join(checkout, chart, file), 'utf8').catch(() => '');
          return content.startsWith(start) ? [] : [link];
        }),
      );
      return broken.flat().map((link) => ({
        place: { file: join(chart, link) },
        path: [],
        text: 'got no link that can be followed, expected the one in git: git config core.symlinks true && git checkout -- helm',
      }));
    }),
  );
  const problems = found.flat();
  if (problems.length > 0) throw new ConfigFailure(problems);
}
