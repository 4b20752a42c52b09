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
  /** The service that the program calls itself. */
  readonly name: string;
  /** Of the folder as it is now, by `readStandIn`. */
  readonly sourceHash: string;
}

/** Where the packages are that the programs require, beside them. */
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
  // pg and redis are CommonJS, and so a program that consists of them needs no package.json beside it.
  format: 'cjs',
  // It becomes a require, which finds the names that such a package exports.
  supported: { 'dynamic-import': false },
  // Lines of the sources in stack traces; the sources themselves stay out of the image.
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'silent',
} as const;

/**
 * The program of a stand-in as the files of its image: `app/main.js`, for Node 20 and later, with a source map beside
 * it, and `public/` as `app/public/`. It requires what `bundlePackages` makes. The same sources always give the same
 * bytes.
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
  // Loaded only now: most commands build nothing, and their start counts.
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

/** Leaves the packages to the files that `bundlePackages` makes. */
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
