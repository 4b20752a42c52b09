import { findNearest } from '../lib/nearest.ts';
import { imageNames } from './catalog.ts';
import { requireChartLinks } from './chart-links.ts';
import { findUnusedImages } from './own-images.ts';
import { parse } from './parse.ts';
import { findTooPrivileged } from './pod-security.ts';
import { ConfigFailure, type Problem } from './problems.ts';
import { readText } from './read-text.ts';
import type { Environment } from './schema.ts';
import { findAt, type MapTree, overlay, placeOf, toTree } from './tree.ts';
import { fromSourceFile } from './values.ts';
import { findSchemaProblems, type Rule } from './values-schema.ts';

/** The Pod Security Standard that a namespace enforces. */
export type PodSecurity = 'restricted' | 'baseline';

/** What a run needs to know of the Helm values in git. */
export interface HelmValues {
  /** As set, or baseline where a service that is built from source needs it and the environment lists no other. */
  readonly podSecurity: PodSecurity;
}

/**
 * Checks the values files of an environment (`helm/environments/base.yaml`, the environment's own and those that it
 * lists) and the values that result when they are merged over the charts' own.
 * @param fromSource services that are built from their Dockerfiles, which get the values of `fromSourceFile`
 * @throws {ConfigFailure} with all problems, each with its place; for links of charts that lead nowhere with those.
 */
export async function loadHelmValues(
  checkout: string,
  { name, services, values: own = [] }: Pick<Environment, 'name' | 'services' | 'values'>,
  fromSource: ReadonlySet<string> = new Set(),
): Promise<HelmValues> {
  await requireChartLinks(checkout);
  const schema: Rule = JSON.parse(await getText('helm/values.schema.json'));
  const read = async (file: string) => parse(await getText(file), file);
  const common = findMap(await read('helm/charts/wealist-common/values.yaml'), ['exports', 'defaults']);
  const files = ['base', name].map((layer) => `helm/environments/${layer}.yaml`);
  const lower = await Promise.all(files.map(read));
  const upper = await Promise.all(own.map(read));
  const layers = [...lower, ...upper];
  const known = [...findMap(common, ['services']).entries.keys()];
  const problems = layers.flatMap((layer) => [
    ...findSchemaProblems(layer, schema),
    ...findUnknownNames(layer, known),
    ...findUnusedImages(layer, Object.keys(services)),
    ...findSecrets(layer, name),
  ]);
  if (problems.length > 0) throw new ConfigFailure(problems);

  const charts = await Promise.all(Object.keys(services).map((service) => readChart(service)));
  const values = [common, ...charts, ...layers].reduce(overlay);
  const built = fromSource.size === 0 ? values : await mergeFromSource();
  const findUnfit = (level: MapTree) =>
    Object.keys(services).flatMap((service) =>
      findTooPrivileged(overlay(fromSource.has(service) ? built : values, level), [service]),
    );
  const set = pickLevel(values);
  const isOwn = own.includes(placeOf(values, levelPath).file);
  const needsBaseline = !isOwn && findUnfit(set).some(({ place }) => place.file === fromSourceFile);
  const level = needsBaseline ? toTree(levelPath, 'baseline', { file: fromSourceFile }) : set;
  const unfit = [...findUnfit(level), ...findOtherThanEnvironment(values, services)];
  if (unfit.length > 0) throw new ConfigFailure(unfit);
  const found = findAt(level, levelPath);
  return { podSecurity: found?.kind === 'scalar' && found.value === 'baseline' ? 'baseline' : 'restricted' };

  /** The values of the services that are built from source. */
  async function mergeFromSource(): Promise<MapTree> {
    const file = await read(fromSourceFile);
    return [common, ...charts, ...lower, file, ...upper].reduce(overlay);
  }

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

const levelPath = ['namespace', 'podSecurity'] as const;

/** The values' Pod Security level alone, with its place. */
function pickLevel(values: MapTree): MapTree {
  const entry = values.entries.get('namespace');
  return { ...values, entries: new Map(entry ? [['namespace', entry]] : []) };
}
