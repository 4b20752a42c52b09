import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findNearest } from '../lib/nearest.ts';
import { parse } from './parse.ts';
import { ConfigFailure, type Problem, quote } from './problems.ts';
import { readText } from './read-text.ts';
import { readServiceTable } from './service-table.ts';
import { findAt, type MapTree, type Tree, without } from './tree.ts';

/** `env/local.yaml` overrides every local environment and is not one itself. */
const localName = 'local';

export interface Layers {
  /** From the lowest to the highest. */
  readonly trees: readonly MapTree[];
  /** Its own files have the key `cluster`. Neither `env/local.yaml` nor a flag can make an environment local. */
  readonly isLocal: boolean;
  readonly problems: readonly Problem[];
}

/**
 * The files of an environment: the charts' table of services, what it extends, its own file, and, if it is on this
 * machine, `env/local.yaml`.
 */
export async function readLayers(checkout: string, name: string): Promise<Layers> {
  const problems: Problem[] = [];
  const known = await listFiles(checkout);
  const table = await collect(() => readServiceTable(checkout));
  const chain = await readChain(name, []);
  const isLocal = chain.some((tree) => findAt(tree, ['cluster']) !== undefined);
  // If a file is unreadable, the problems of all files are shown.
  const usesLocal = (isLocal || problems.length > 0) && known.includes(localName);
  const local = usesLocal ? await read(localName) : undefined;
  const extension = local && findAt(local, ['extends']);
  if (extension) refuse(extension, 'got a base, expected none: this file overrides every local environment');
  const trees = [table, ...chain, local].filter((tree) => tree !== undefined);
  return { trees, isLocal, problems };

  async function readChain(name: string, above: readonly string[]): Promise<readonly MapTree[]> {
    const tree = await read(name);
    if (!tree) return [];
    const extension = findAt(tree, ['extends']);
    const base = extension && toBase(extension, [...above, name]);
    const lower = base === undefined ? [] : await readChain(base, [...above, name]);
    return [...lower, without(tree, 'extends')];
  }

  function toBase(extension: Tree, chain: readonly string[]): string | undefined {
    const base = extension.kind === 'scalar' ? String(extension.value ?? '') : '';
    if (chain.includes(base)) {
      return refuse(extension, `got a cycle, ${[...chain, base].join(' → ')}, expected a chain that ends`);
    }
    const bases = known.filter((name) => name !== localName);
    if (bases.includes(base)) return base;
    const got = extension.kind === 'scalar' ? (base === '' ? 'nothing' : quote(base)) : `a ${extension.kind}`;
    const nearest = findNearest(base, bases);
    const expected =
      nearest === undefined ? `one of ${bases.join(', ')}` : `a file of env/: nearest is ${nearest}`;
    return refuse(extension, `got ${got}, expected ${expected}`);
  }

  function refuse({ place }: Tree, text: string): undefined {
    problems.push({ place, path: ['extends'], text });
  }

  function read(name: string): Promise<MapTree | undefined> {
    const file = `env/${name}.yaml`;
    return collect(async () => {
      const text = await readText(checkout, file);
      return text === undefined ? undefined : parse(text, file);
    });
  }

  /** Collects the problems of a file, so that the problems of all files are shown at once. */
  async function collect(read: () => Promise<MapTree | undefined>): Promise<MapTree | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ConfigFailure)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  }
}

/** Names of all environments, in alphabetical order. */
export async function listEnvironments(checkout: string): Promise<readonly string[]> {
  const names = await listFiles(checkout);
  return names.filter((name) => name !== 'base' && name !== localName);
}

async function listFiles(checkout: string): Promise<readonly string[]> {
  const files = await readdir(join(checkout, 'env')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
    const text = 'missing, expected the folder of the environments: git restore env';
    throw new ConfigFailure([{ place: { file: 'env' }, path: [], text }]);
  });
  return files.flatMap((file) => /^([a-z0-9][-a-z0-9]*)\.yaml$/.exec(file)?.[1] ?? []).sort();
}
