import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parse } from './parse.ts';
import { readText } from './read-text.ts';
import type { Environment } from './schema.ts';
import { findAt, type MapTree, overlay, type Tree } from './tree.ts';
import { valuesFiles } from './values.ts';

export interface ServiceSettingsOptions {
  /** Absolute. */
  readonly checkout: string;
  readonly environment: Pick<Environment, 'name' | 'values'>;
  /** Services that are built from their Dockerfiles. */
  readonly fromSource: ReadonlySet<string>;
}

export interface ServiceSettings {
  /** The values of all charts merged. */
  readonly values: MapTree;
  /** A service's own over the defaults of all. */
  of(name: string): MapTree;
}

/**
 * What the values files, in Helm's order, say of each service.
 * @throws {ConfigFailure} when a values file cannot be read.
 */
export async function readServiceSettings(options: ServiceSettingsOptions): Promise<ServiceSettings> {
  const { fromSource } = options;
  const values = await readValues(options, false);
  const built = fromSource.size === 0 ? values : await readValues(options, true);
  return {
    values,
    of(name) {
      const own = fromSource.has(name) ? built : values;
      return overlay(mapAt(own, ['serviceDefaults']), mapAt(own, ['services', name]));
    },
  };
}

/** The values of all charts merged: those for a single chart are under its name, so they do not conflict. */
async function readValues(
  { checkout, environment }: Pick<ServiceSettingsOptions, 'checkout' | 'environment'>,
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

/** The value at the path as text; undefined where there is none. */
export function textAt(tree: MapTree, path: readonly string[]): string | undefined {
  const found = findAt(tree, path);
  return found?.kind === 'scalar' && found.value !== null ? String(found.value) : undefined;
}
