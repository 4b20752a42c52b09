import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { hashContent } from '../../lib/hash.ts';
import { describeLockedPackages } from '../build/locked-packages.ts';
import { listSourceFiles } from './source-files.ts';
import type { SourceState } from './source-state.ts';

/** The npm packages that the stand-ins import. */
export const runtimePackages = ['@redis/client', 'aws4fetch', 'pg', 'ws'] as const;

/** The packages that decide a bundle's content, the bundler included. */
export const bundledPackages = [...runtimePackages, 'esbuild'] as const;

export interface SourceOptions {
  /** Absolute path of the stand-in's folder. */
  readonly folder: string;
  /** Absolute path of the checkout, which has the files that all stand-ins share. */
  readonly checkout: string;
}

/**
 * The source of a stand-in, with its hash: its folder, services/common, the npm packages, how they are bundled, and the
 * version of this program. The path of the checkout does not matter.
 * @throws {Failure} exit code 7 when the folder is not a stand-in.
 */
export async function readStandIn({ folder, checkout }: SourceOptions): Promise<SourceState> {
  const packageFile = join(checkout, 'package.json');
  const lockFile = join(checkout, 'package-lock.json');
  const [own, common, bundling, settings, locked] = await Promise.all([
    readSources(folder),
    readSources(join(checkout, 'services/common')),
    readFile(join(import.meta.dirname, '../build/bundle.ts')),
    readFile(packageFile, 'utf8'),
    readFile(lockFile, 'utf8'),
  ]);
  if (!own.some(([path]) => path === join(folder, 'main.ts'))) {
    throw new Failure(`${folder} has no main.ts, the entry point of a stand-in`, {
      exitCode: exitCodes.image,
      hint: 'set standIn of the service in env/base.yaml to the folder of a stand-in',
    });
  }

  const { version } = JSON.parse(settings) as { readonly version: string };
  const packages = describeLockedPackages(locked, bundledPackages).join('\n');
  const files = new Map([...own, ...common, [packageFile, version], [lockFile, packages]]);
  const sum = createHash('sha256').update(bundling);
  for (const [path, file] of files) sum.update(`${relative(folder, path)}\0${file}\0`);
  return { hash: sum.digest('hex'), files, generated: new Set() };
}

/** The source files of a folder by absolute path, each with the hash of its content. */
async function readSources(folder: string): Promise<readonly (readonly [path: string, hash: string])[]> {
  try {
    const files = (await listSourceFiles(folder)).map((path) => join(folder, path));
    return await Promise.all(files.map(async (path) => [path, hashContent(await readFile(path))] as const));
  } catch (cause) {
    throw new Failure(`${folder} is not a readable folder`, { cause, exitCode: exitCodes.image });
  }
}
