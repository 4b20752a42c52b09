import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BuildFailure, Message } from 'esbuild';
import { exitCodes, Failure } from '../lib/failure.ts';
import { listSourceFiles } from './source-files.ts';

export interface BundledFile {
  /** Relative to the image's root. */
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

export interface BundleOptions {
  /** The service that the program calls itself. */
  readonly name: string;
  /** What `hashSource` says of the folder as it is now. */
  readonly sourceHash: string;
}

/**
 * The program of a stand-in as the files of its image: `app/main.js`, for Node 20 and later, with a source map beside
 * it, and `public/` as `app/public/`. The same sources always give the same bytes.
 * @param folder absolute path of the stand-in's folder
 * @throws {Failure} with the place of each error when the sources do not compile.
 */
export async function bundleStandIn(
  folder: string,
  { name, sourceHash }: BundleOptions,
): Promise<readonly BundledFile[]> {
  const [program, statics] = await Promise.all([
    compile(folder, { name, sourceHash }),
    readStatics(join(folder, 'public')),
  ]);
  return [...program, ...statics];
}

async function compile(folder: string, { name, sourceHash }: BundleOptions): Promise<readonly BundledFile[]> {
  const checkout = resolve(import.meta.dirname, '../..');
  const packageFile = await readFile(join(checkout, 'package.json'), 'utf8');
  const { version } = JSON.parse(packageFile) as { readonly version: string };
  // Loaded only now: most commands build nothing, and their start counts.
  const { build } = await import('esbuild');
  try {
    const { outputFiles } = await build({
      entryPoints: [join(folder, 'main.ts')],
      // All paths in the output are relative to it.
      absWorkingDir: checkout,
      outfile: 'app/main.js',
      write: false,
      bundle: true,
      platform: 'node',
      target: 'node20',
      // pg and redis are CommonJS, and so a program that consists of them needs no package.json beside it.
      format: 'cjs',
      external: ['pg-native'],
      define: {
        'import.meta.dirname': '__dirname',
        WEALIST_NAME: JSON.stringify(name),
        WEALIST_VERSION: JSON.stringify(version),
        WEALIST_SOURCE_HASH: JSON.stringify(sourceHash),
      },
      // Lines of the sources in stack traces; the sources themselves stay out of the image.
      sourcemap: 'linked',
      sourcesContent: false,
      logLevel: 'silent',
    });
    return outputFiles.map(({ path, contents }) => ({
      path: path.endsWith('.map') ? 'app/main.js.map' : 'app/main.js',
      mode: 0o644,
      content: contents,
    }));
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    throw new Failure(`${name} does not compile: ${error.errors.map(describeMessage).join('; ')}`, {
      exitCode: exitCodes.image,
      hint: 'npx tsc',
    });
  }
}

async function readStatics(folder: string): Promise<readonly BundledFile[]> {
  const exists = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!exists) return [];
  const files = await listSourceFiles(folder);
  return Promise.all(
    files.map(async (path) => ({
      path: `app/public/${path}`,
      mode: 0o644,
      content: await readFile(join(folder, path)),
    })),
  );
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

function describeMessage({ text, location }: Message): string {
  return location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`;
}
