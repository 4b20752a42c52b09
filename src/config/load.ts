import { exitCodes, Failure } from '../lib/failure.ts';
import { findNearest } from '../lib/nearest.ts';
import { toDraft } from './checks/draft.ts';
import { findCheckProblems } from './checks.ts';
import { listEnvironments, readLayers } from './layers.ts';
import { ConfigFailure, type Problem, quote } from './problems.ts';
import { type Environment, EnvironmentFile } from './schema.ts';
import { type MapTree, overlay, type Plain, toTree } from './tree.ts';
import { validate } from './validate.ts';

/** A value from the command line; it overrides all files. */
export interface Override {
  /** The flag, such as `--name`; messages show it as the place of the value. */
  readonly flag: string;
  /** `['cluster', 'name']` */
  readonly path: readonly [string, ...string[]];
  readonly value: Plain;
}

export interface LoadOptions {
  /** Absolute. */
  readonly checkout: string;
  /** `local-kind` is read from `env/local-kind.yaml`. */
  readonly name: string;
  readonly overrides?: readonly Override[];
}

/**
 * Reads an environment: the charts' table of services, its file and the files that it extends, for one on this machine
 * `env/local.yaml`, then the overrides. Later ones override earlier ones.
 * @throws {ConfigFailure} with all problems of all files at once, each with its place.
 * @throws {Failure} when there is no such environment.
 */
export async function loadEnvironment({ checkout, name, overrides = [] }: LoadOptions): Promise<Environment> {
  await requireEnvironment(checkout, name);
  const layers = await readLayers(checkout, name);
  // The content of an unreadable file is unknown, so that the merged environment cannot be checked.
  if (layers.problems.length > 0) throw new ConfigFailure(layers.problems);

  const flags = layers.isLocal
    ? overrides.map(({ flag, path, value }) => toTree(path, value, { file: flag }))
    : [];
  const trees = [...layers.trees, ...flags];
  const nothing: MapTree = {
    kind: 'map',
    place: { file: `env/${name}.yaml`, line: 1, column: 1 },
    entries: new Map(),
  };
  const tree = trees.reduce(overlay, nothing);
  const files = trees.map(({ place }) => place.file);
  const { value, problems } = validate(tree, EnvironmentFile);
  const all = [
    ...problems,
    ...(await findCheckProblems(toDraft({ checkout, tree, layers: files }, problems))),
  ];
  if (value === undefined || all.length > 0) throw new ConfigFailure(inOrder(all, files));
  const { extends: _lower, ...settings } = value;
  return { name, ...settings };
}

/** In the order of reading: file by file, each from its top. */
function inOrder(problems: readonly Problem[], files: readonly string[]): readonly Problem[] {
  return [...problems].sort(
    ({ place: a }, { place: b }) =>
      files.indexOf(a.file) - files.indexOf(b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}

async function requireEnvironment(checkout: string, name: string): Promise<void> {
  const known = await listEnvironments(checkout);
  if (known.includes(name)) return;
  const nearest = findNearest(name, known);
  throw new Failure(
    `${quote(name)} is not an environment${nearest === undefined ? '' : `, nearest is ${nearest}`}`,
    {
      hint: `environments: ${known.join(', ')}`,
      exitCode: exitCodes.usage,
    },
  );
}
