import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes, Failure } from '../lib/failure.ts';
import { describeLockedPackages } from './locked-packages.ts';
import { listSourceFiles } from './source-files.ts';

/** The npm packages that the stand-ins import. */
export const runtimePackages = ['@redis/client', 'aws4fetch', 'pg', 'ws'] as const;

/** All that decides what ends up in a bundle: the bundler, too. */
export const bundledPackages = [...runtimePackages, 'esbuild'] as const;

export interface SourceOptions {
  /** Absolute path of the stand-in's folder. */
  readonly folder: string;
  /** Absolute path of the checkout, for what all stand-ins share. */
  readonly checkout: string;
}

/**
 * 64 hexadecimal digits that change when, and only when, something changes that goes into a stand-in's files: its
 * folder, services/common, the npm packages, the way they are bundled, the version of this program.
 * @throws {Failure} when the folder is no stand-in.
 */
export async function hashSource({ folder, checkout }: SourceOptions): Promise<string> {
  const [own, common, bundling, packageFile, lockFile] = await Promise.all([
    readSources(folder, ''),
    readSources(join(checkout, 'services/common'), '../common/'),
    readFile(join(import.meta.dirname, 'bundle.ts')),
    readFile(join(checkout, 'package.json'), 'utf8'),
    readFile(join(checkout, 'package-lock.json'), 'utf8'),
  ]);
  if (!own.some(([path]) => path === 'main.ts')) {
    throw new Failure(`${folder} has no main.ts, which a stand-in starts with`, {
      exitCode: exitCodes.image,
      hint: 'name the folder of a stand-in as standIn in env/base.yaml',
    });
  }

  const hash = createHash('sha256');
  // With its length in front, no part can pass for the end of one and the beginning of the next.
  const add = (part: string | Uint8Array) => hash.update(`${Buffer.byteLength(part)}\n`).update(part);
  for (const part of [...own, ...common].flat()) add(part);
  add(bundling);
  add((JSON.parse(packageFile) as { readonly version: string }).version);
  for (const line of describeLockedPackages(lockFile, bundledPackages)) add(line);
  return hash.digest('hex');
}

/** The files of a folder, each with its path below `prefix`. */
async function readSources(
  folder: string,
  prefix: string,
): Promise<readonly (readonly [path: string, content: Buffer])[]> {
  try {
    const files = await listSourceFiles(folder);
    return await Promise.all(
      files.map(async (path) => [prefix + path, await readFile(join(folder, path))] as const),
    );
  } catch (cause) {
    throw new Failure(`${folder} is not a readable folder`, { cause, exitCode: exitCodes.image });
  }
}
