import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadCatalog } from '../../src/config/catalog.ts';
import { loadEnvironment } from '../../src/config/load.ts';
import { toInfrastructureValues, toNeeds, toServiceValues } from '../../src/config/values.ts';
import { render, serviceCharts } from './helm.ts';
import type { Manifest } from './manifests.ts';

const repository = join(import.meta.dirname, '../..');

describe('one truth in two places', () => {
  it('what services need, which a run hands over as well: it changes no policy that git holds', async () => {
    const environment = await loadEnvironment({ checkout: repository, name: 'local-kind' });
    const needs = toNeeds(environment);
    const ports = { httpPort: 80, httpsPort: 443 };
    const policies = (manifests: readonly Manifest[]) =>
      manifests.filter(({ kind }) => kind === 'NetworkPolicy');
    for (const chart of serviceCharts) {
      const values = toServiceValues(chart, 'a:1', { ports, needs });
      const [byGit, byRun] = await Promise.all([render(chart), render(chart, { values })]);
      expect(policies(byRun)).toEqual(policies(byGit));
    }
    const values = toInfrastructureValues({
      ...{ images: {}, ports, needs, controller: 'traefik', infrastructure: {} },
      services: Object.fromEntries(serviceCharts.map((name) => [name, true])),
    });
    const byRun = await render('wealist-infrastructure', { values });
    expect(policies(byRun)).toEqual(policies(await render('wealist-infrastructure')));
  });

  it('the images of the data stores', async () => {
    const catalog = await loadCatalog(repository);
    const base = parse(await readFile(join(repository, 'helm/environments/base.yaml'), 'utf8'));
    const { postgres, redis, s3 } = catalog;
    expect(base.images).toEqual({ postgres: postgres.pull, redis: redis.pull, s3: s3.pull });
  });
});
