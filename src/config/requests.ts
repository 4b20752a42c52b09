import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseQuantity } from '../lib/quantity.ts';
import { parse } from './parse.ts';
import { ConfigFailure, quote } from './problems.ts';
import { readText } from './read-text.ts';
import type { Environment } from './schema.ts';
import type { Selection } from './services.ts';
import { findAt, type MapTree, overlay, placeOf, type Tree } from './tree.ts';
import { type Controller, valuesFiles } from './values.ts';

/** What pods request: cores, and bytes of memory. */
export interface Requests {
  readonly cpus: number;
  readonly memory: number;
}

export interface RequestsOptions {
  /** Absolute. */
  readonly checkout: string;
  readonly environment: Pick<Environment, 'name' | 'values'>;
  readonly selection: Selection;
  readonly controller: Controller;
  /** Services that are built from their Dockerfiles. */
  readonly fromSource: ReadonlySet<string>;
}

/**
 * The sum of the requests of all pods of a selection and of its ingress controller, from the values in Helm's order.
 * A missing request counts as 0.
 * @throws {ConfigFailure} when a values file cannot be read, or a request is not a quantity.
 */
export async function sumRequests(options: RequestsOptions): Promise<Requests> {
  const { selection, controller } = options;
  const { values, settingsOf } = await readSettings(options);
  const service = (name: string) => {
    const settings = settingsOf(name);
    const [replicas, minReplicas] = [['replicas'], ['autoscaling', 'minReplicas']].map((path) =>
      Number(textAt(settings, path) ?? 1),
    );
    const isScaled = textAt(settings, ['autoscaling', 'enabled']) === 'true';
    return multiply(requestsAt(settings, ['resources']), (isScaled ? minReplicas : replicas) ?? 1);
  };
  const ingress = {
    traefik: ['ingress', 'traefik', 'resources'],
    nginx: ['controller', 'resources'],
  };
  const all = [
    ...selection.services.map(service),
    ...selection.infrastructure.map((name) => requestsAt(values, ['infrastructure', name, 'resources'])),
    requestsAt(values, ingress[controller]),
  ];
  return all.reduce((sum, each) => ({ cpus: sum.cpus + each.cpus, memory: sum.memory + each.memory }));
}

/**
 * What one pod of each service requests, from the values in Helm's order.
 * @throws {ConfigFailure} as `sumRequests`.
 */
export async function readServiceRequests(
  options: Omit<RequestsOptions, 'controller'>,
): Promise<ReadonlyMap<string, Requests>> {
  const { settingsOf } = await readSettings(options);
  return new Map(
    options.selection.services.map((name) => [name, requestsAt(settingsOf(name), ['resources'])]),
  );
}

/** The merged values, and the settings of one service in them. */
async function readSettings(options: Omit<RequestsOptions, 'controller'>) {
  const { fromSource } = options;
  const values = await readValues(options, false);
  const built = fromSource.size === 0 ? values : await readValues(options, true);
  const settingsOf = (name: string) => {
    const own = fromSource.has(name) ? built : values;
    return overlay(mapAt(own, ['serviceDefaults']), mapAt(own, ['services', name]));
  };
  return { values, settingsOf };
}

/** The values of all charts merged: those for a single chart are under its name, so they do not conflict. */
async function readValues(
  { checkout, environment }: Pick<RequestsOptions, 'checkout' | 'environment'>,
  fromSource: boolean,
): Promise<MapTree> {
  const charts = (await readdir(join(checkout, 'helm/charts'))).sort();
  const common = await read(checkout, 'helm/charts/wealist-common/values.yaml');
  const files = [
    ...charts
      .filter((chart) => chart !== 'wealist-common')
      .map((chart) => `helm/charts/${chart}/values.yaml`),
    'helm/ingress-nginx.yaml',
    ...valuesFiles({ checkout, environment, fromSource }).map((file) => relative(checkout, file)),
  ];
  const layers = await Promise.all(files.map((file) => read(checkout, file)));
  return layers.reduce(overlay, mapAt(common, ['exports', 'defaults']));
}

async function read(checkout: string, file: string): Promise<MapTree> {
  const text = await readText(checkout, file);
  return text === undefined ? empty : parse(text, file);
}

const empty: MapTree = { kind: 'map', place: { file: 'values' }, entries: new Map() };

function mapAt(tree: MapTree, path: readonly string[]): MapTree {
  const found: Tree | undefined = findAt(tree, path);
  return found?.kind === 'map' ? found : empty;
}

function textAt(tree: MapTree, path: readonly string[]): string | undefined {
  const found = findAt(tree, path);
  return found?.kind === 'scalar' && found.value !== null ? String(found.value) : undefined;
}

function requestsAt(tree: MapTree, path: readonly string[]): Requests {
  const amount = (resource: string) => {
    const place = [...path, 'requests', resource];
    const text = textAt(tree, place);
    if (text === undefined) return 0;
    try {
      return parseQuantity(text);
    } catch {
      const problem = `got ${quote(text)}, expected a quantity, such as 100m or 64Mi`;
      throw new ConfigFailure([{ place: placeOf(tree, place), path: place, text: problem }]);
    }
  };
  return { cpus: amount('cpu'), memory: amount('memory') };
}

function multiply({ cpus, memory }: Requests, count: number): Requests {
  return { cpus: cpus * count, memory: memory * count };
}
