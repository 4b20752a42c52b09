import { findNearest } from '../lib/nearest.ts';
import { imageNames } from './catalog.ts';
import { requireChartLinks } from './chart-links.ts';
import { parse } from './parse.ts';
import { findTooPrivileged } from './pod-security.ts';
import { ConfigFailure, type Problem } from './problems.ts';
import { readText } from './read-text.ts';
import type { Environment } from './schema.ts';
import { findAt, type MapTree, overlay, placeOf } from './tree.ts';
import { findSchemaProblems, type Rule } from './values-schema.ts';

/** The Pod Security Standard that a namespace enforces. */
export type PodSecurity = 'restricted' | 'baseline';

/** What a run needs to know of the Helm values in git. */
export interface HelmValues {
  readonly podSecurity: PodSecurity;
}

/**
 * Checks the values files of an environment (`helm/environments/base.yaml`, the environment's own and those that it
 * lists) and the values that result when they are merged over the charts' own.
 * @throws {ConfigFailure} with all problems, each with its place; for links of charts that lead nowhere with those.
 */
export async function loadHelmValues(
  checkout: string,
  { name, services, values: own = [] }: Pick<Environment, 'name' | 'services' | 'values'>,
): Promise<HelmValues> {
  await requireChartLinks(checkout);
  const schema: Rule = JSON.parse(await getText('helm/values.schema.json'));
  const read = async (file: string) => parse(await getText(file), file);
  const common = findMap(await read('helm/charts/wealist-common/values.yaml'), ['exports', 'defaults']);
  const files = [...['base', name].map((layer) => `helm/environments/${layer}.yaml`), ...own];
  const layers = await Promise.all(files.map(read));
  const known = [...findMap(common, ['services']).entries.keys()];
  const problems = layers.flatMap((layer) => [
    ...findSchemaProblems(layer, schema),
    ...findUnknownNames(layer, known),
    ...findSecrets(layer, name),
  ]);
  if (problems.length > 0) throw new ConfigFailure(problems);

  const charts = await Promise.all(Object.keys(services).map((service) => readChart(service)));
  const values = [common, ...charts, ...layers].reduce(overlay);
  const unfit = [
    ...findTooPrivileged(values, Object.keys(services)),
    ...findOtherThanEnvironment(values, services),
  ];
  if (unfit.length > 0) throw new ConfigFailure(unfit);
  const level = findAt(values, ['namespace', 'podSecurity']);
  return { podSecurity: level?.kind === 'scalar' && level.value === 'baseline' ? 'baseline' : 'restricted' };

  async function getText(file: string): Promise<string> {
    const text = await readText(checkout, file);
    if (text !== undefined) return text;
    const why = own.includes(file) ? 'the environment names it under values' : 'git restore helm';
    throw new ConfigFailure([{ place: { file }, path: [], text: `missing, expected a file: ${why}` }]);
  }

  async function readChart(service: string): Promise<MapTree> {
    const file = `helm/charts/${service}/values.yaml`;
    const text = await readText(checkout, file);
    return parse(text ?? '', file);
  }
}

/**
 * Ports and routes that differ between the charts and the environment. Both read them from one table, and files of
 * either can override it. Needs cannot differ: each run passes them to the charts.
 */
function findOtherThanEnvironment(values: MapTree, services: Environment['services']): readonly Problem[] {
  return Object.entries(services).flatMap(([name, service]) =>
    (['port', 'route'] as const).flatMap((key) => {
      const path = ['services', name, key];
      const found = findAt(values, path);
      const [got, expected] = [found?.kind === 'scalar' ? found.value : undefined, service[key]];
      if (got === expected || !findAt(values, ['services', name])) return [];
      const text = `got ${got ?? 'nothing'}, but env/ has ${expected ?? 'nothing'}: set the same in both`;
      return [{ place: placeOf(values, path), path, text }];
    }),
  );
}

/** Unknown names of services and images. A service with a port is a new one, whose name cannot be known. */
function findUnknownNames(layer: MapTree, known: readonly string[]): readonly Problem[] {
  const services = [...findMap(layer, ['services']).entries];
  const added = services.filter(([, { value }]) => findAt(value, ['port'])).map(([name]) => name);
  const all = [...known, ...added];
  return [
    ...services.flatMap(([name, { place }]) => toProblem('services', name, place, all)),
    ...[...findMap(layer, ['images']).entries].flatMap(([name, { place }]) =>
      toProblem('images', name, place, [...all, ...imageNames]),
    ),
  ];
}

function toProblem(
  key: string,
  name: string,
  place: Problem['place'],
  known: readonly string[],
): readonly Problem[] {
  if (known.includes(name)) return [];
  const nearest = findNearest(name, known);
  const expected = nearest === undefined ? `expected one of ${known.join(', ')}` : `nearest is ${nearest}`;
  return [{ place, path: [key, name], text: `got an unknown name, ${expected}` }];
}

/** Secrets in a file tracked by git. */
function findSecrets(layer: MapTree, name: string): readonly Problem[] {
  return [...findMap(layer, ['shared', 'secrets']).entries].map(([key, { place }]) => ({
    place,
    path: ['shared', 'secrets', key],
    text: `got a secret in a file tracked by git, expected it in helm/environments/${name}-secrets.yaml`,
  }));
}

const nothing: MapTree = { kind: 'map', place: { file: '' }, entries: new Map() };

function findMap(tree: MapTree, path: readonly string[]): MapTree {
  const found = findAt(tree, path);
  return found?.kind === 'map' ? found : nothing;
}
