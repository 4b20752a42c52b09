// Compiles the program to JavaScript for Node 20 and later, once per change of the sources: it starts in a third of the
// time that TypeScript takes. This file is plain JavaScript, since it runs before anything is compiled.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const checkout = dirname(import.meta.dirname);
const programs = join(checkout, '.wealist/program');

/** How many compiled programs are kept, since a running command loads modules of its own program later. */
const programsKept = 20;

/**
 * Compiles the current sources, unless that was done before. Resolves to the absolute path of the compiled `main`.
 * @throws {Error} with a `code` if it cannot be written.
 */
export async function compile() {
  const sources = ['src', 'images'].flatMap(listSources).sort();
  const program = join(programs, toKey(sources));
  if (!existsSync(program)) await compileTo(program);
  return join(program, 'main.js');
}

function listSources(folder) {
  const entries = readdirSync(join(checkout, folder), { recursive: true, encoding: 'utf8' });
  return entries.filter((path) => /\.[jt]s$/.test(path)).map((path) => join(checkout, folder, path));
}

/** Compares sizes and times instead of contents: reading 400 files would take longer than the rest. */
function toKey(sources) {
  const states = sources.map((path) => {
    const { size, mtimeMs } = statSync(path);
    return [path, size, mtimeMs];
  });
  return createHash('sha256').update(JSON.stringify(states)).digest('hex').slice(0, 16);
}

async function compileTo(program) {
  const { build } = await import('esbuild');
  const unfinished = `${program}-${process.pid}`;
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  try {
    await build({
      absWorkingDir: checkout,
      entryPoints: ['src/main.ts'],
      outdir: unfinished,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      sourcemap: 'linked',
      define: { 'import.meta.dirname': 'sourceFolder' },
      plugins: [sourceFolders],
      logLevel: 'silent',
    });
    renameSync(unfinished, program);
  } catch (error) {
    // Another process may have compiled the same program at the same time.
    if (!existsSync(program)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  removeOld();
}

/** Replaces `import.meta.dirname` by the folder of the source, where the files are that the source reads. */
const sourceFolders = {
  name: 'source-folders',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const folder = `const sourceFolder = ${JSON.stringify(dirname(path))}; `;
      return { contents: text.includes('import.meta.dirname') ? folder + text : text, loader: 'ts' };
    });
  },
};

function removeOld() {
  const found = readdirSync(programs)
    .map((name) => join(programs, name))
    .map((path) => ({ path, modified: statSync(path).mtimeMs }))
    .sort((one, other) => other.modified - one.modified);
  for (const { path } of found.slice(programsKept)) rmSync(path, { recursive: true, force: true });
}
