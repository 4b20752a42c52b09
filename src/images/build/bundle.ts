import { readFile, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import type { BuildFailure, Message, OutputFile, Plugin } from 'esbuild';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { listSourceFiles } from '../source/source-files.ts';
import { runtimePackages } from '../source/stand-in-source.ts';

export interface BundledFile {
  /** Relative to the image's root. */
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

export interface BundleOptions {
  /** The service's name, which the program reports. */
  readonly name: string;
  /** Hash of the current source, from `readStandIn`. */
  readonly sourceHash: string;
}

/** Folder of the npm packages that the programs require. */
const packagesFolder = 'app/packages';

/** File name of a package: `redis-client` for `@redis/client`. */
const toFileName = (name: string) => name.replace(/^@/, '').replace('/', '-');

/** All paths in the outputs are relative to it. */
const checkout = resolve(import.meta.dirname, '../../..');

const bundling = {
  absWorkingDir: checkout,
  write: false,
  bundle: true,
  platform: 'node',
  target: 'node20',
  // pg and redis are CommonJS; a CommonJS program needs no package.json beside it.
  format: 'cjs',
  // A dynamic import becomes a require, which finds the exported names of a CommonJS package.
  supported: { 'dynamic-import': false },
  // Stack traces show lines of the sources; the sources themselves are not in the image.
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'silent',
} as const;

/**
 * The files of a stand-in's image: the program `app/main.js` for Node 20 and later with its source map, and `public/` as
 * `app/public/`. The program requires the files of `bundlePackages`. The same sources always give the same bytes.
 * @param folder absolute path of the stand-in's folder
 * @throws {Failure} exit code 7, with the location of each error, when the sources do not compile.
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

/** The npm packages of all stand-ins, one file each. */
export async function bundlePackages(): Promise<readonly BundledFile[]> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    ...bundling,
    entryPoints: Object.fromEntries(runtimePackages.map((name) => [toFileName(name), name])),
    outdir: packagesFolder,
    external: ['pg-native'],
  });
  return outputFiles.map(toBundledFile);
}

async function compile(folder: string, { name, sourceHash }: BundleOptions): Promise<readonly BundledFile[]> {
  const packageFile = await readFile(join(checkout, 'package.json'), 'utf8');
  const { version } = JSON.parse(packageFile) as { readonly version: string };
  // Imported here: most commands build nothing, and importing esbuild would slow their start.
  const { build } = await import('esbuild');
  try {
    const { outputFiles } = await build({
      ...bundling,
      entryPoints: [join(folder, 'main.ts')],
      outfile: 'app/main.js',
      define: {
        'import.meta.dirname': '__dirname',
        WEALIST_NAME: JSON.stringify(name),
        WEALIST_VERSION: JSON.stringify(version),
        WEALIST_SOURCE_HASH: JSON.stringify(sourceHash),
      },
      plugins: [requirePackages],
    });
    return outputFiles.map(toBundledFile);
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    throw new Failure(`${name} does not compile: ${error.errors.map(describeMessage).join('; ')}`, {
      exitCode: exitCodes.image,
      hint: 'npx tsc',
    });
  }
}

/** Makes programs require the packages from the files of `bundlePackages` instead of containing them. */
const requirePackages: Plugin = {
  name: 'packages',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind !== 'entry-point' && runtimePackages.some((name) => name === path)
        ? { path: `./${basename(packagesFolder)}/${toFileName(path)}.js`, external: true }
        : undefined,
    );
  },
};

function toBundledFile({ path, contents }: OutputFile): BundledFile {
  return { path: relative(checkout, path), mode: 0o644, content: contents };
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
