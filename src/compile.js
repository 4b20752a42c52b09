// The program as JavaScript that Node 20 takes, too: compiled once per change of the sources, it starts in a third of the
// time that TypeScript does. Plain JavaScript itself, since it runs before anything is compiled.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const checkout = dirname(import.meta.dirname);
const programs = join(checkout, '.wealist/program');

/** A command that runs loads parts of its program as it comes to need them, however often that is edited meanwhile. */
const kept = 20;

/**
 * The absolute path of `main`, compiled from the sources as they are now.
 * @throws {Error} with a `code` where nothing can be written.
 */
export async function compile() {
  const sources = ['src', 'images'].flatMap(listSources).sort();
  const program = join(programs, toKey(sources));
  if (!existsSync(program)) await make(program);
  return join(program, 'main.js');
}

function listSources(folder) {
  const entries = readdirSync(join(checkout, folder), { recursive: true, encoding: 'utf8' });
  return entries.filter((path) => /\.[jt]s$/.test(path)).map((path) => join(checkout, folder, path));
}

/** Who saves a file changes its time: reading 400 files would take longer than the rest. */
function toKey(sources) {
  const states = sources.map((path) => {
    const { size, mtimeMs } = statSync(path);
    return [path, size, mtimeMs];
  });
  return createHash('sha256').update(JSON.stringify(states)).digest('hex').slice(0, 16);
}

async function make(program) {
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
      plugins: [keepFolders],
      logLevel: 'silent',
    });
    renameSync(unfinished, program);
  } catch (error) {
    // Of two that compile at once, the second finds the name taken, by the same.
    if (!existsSync(program)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  removeOld();
}

/** What a source asks for beside itself lies beside the source. */
const keepFolders = {
  name: 'keep-folders',
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
    .map((path) => ({ path, made: statSync(path).mtimeMs }))
    .sort((one, other) => other.made - one.made);
  for (const { path } of found.slice(kept)) rmSync(path, { recursive: true, force: true });
}
