import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** ARCHITECTURE.md: a file imports its own folder, or floors below. */
const floors: Readonly<Record<string, number>> = {
  'src/lib': 0,
  'src/plan': 1,
  ...{ 'src/config': 2, 'src/state': 2, 'src/tools': 2, 'src/ui': 2 },
  ...{
    'src/diagnosis': 3,
    'src/diff': 3,
    'src/forward': 3,
    'src/images': 3,
    'src/logs': 3,
    'src/machine': 3,
  },
  ...{ 'src/cluster': 4, 'src/dashboard': 4, 'src/debug': 4, 'src/intercept': 4 },
  // The recipes stand on the primitives of src/images and under the steps that build by them.
  images: 4,
  ...{ 'src/steps': 5, 'src/plans': 6, 'src/cli': 7, 'src/commands': 8, src: 9 },
};

/** Beside `src/`, what a folder may have of it. */
const guests: Readonly<Record<string, RegExp>> = {
  images: /^(images|src\/(images|plan|tools|lib))\//,
  services: /^services\//,
  // The page has of the program the types that it is sent, and plain functions.
  dashboard: /^(dashboard|src\/(dashboard|lib|logs))\//,
};

/** Where alone a package may be imported from. */
const homes: Readonly<Record<string, RegExp>> = {
  '@inquirer/prompts': /^src\/ui\//,
  '@modelcontextprotocol/server': /^src\/commands\/mcp\//,
  '@modelcontextprotocol/server/stdio': /^src\/commands\/mcp\.ts$/,
  '@parcel/watcher': /^src\/tools\//,
  preact: /^dashboard\//,
  '@preact/signals': /^dashboard\//,
  '@tanstack/virtual-core': /^dashboard\/logs\//,
  '@dagrejs/dagre': /^dashboard\/graph-worker\.ts$/,
  'cli-table3': /^src\/ui\//,
  'node:child_process': /^src\/(lib\/processes\.ts|run-in-group\.ts|install-dependencies\.js)$/,
  'node:http': /^(src\/(tools|dashboard)|services)\//,
  'node:https': /^src\/(tools\/|intercept\/agent\.js)/,
  'node:net': /^(src\/tools\/|src\/intercept\/agent\.js|services\/)/,
  commander: /^src\/cli\//,
  'dockerfile-ast': /^src\/images\/source\//,
  dockerode: /^src\/tools\//,
  execa: /^src\/tools\/exec\.ts$/,
  'jsonc-parser': /^src\/machine\//,
  listr2: /^src\/ui\//,
  picocolors: /^src\/ui\//,
  undici: /^src\/tools\//,
  zx: /^scripts\//,
};

function listImports(top: string): readonly { readonly file: string; readonly target: string }[] {
  const files = readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.([jt]s|tsx)$/.test(file) && !file.includes('node_modules'))
    .map((file) => join(top, file));
  return files.flatMap((file) => {
    const source = readFileSync(join(root, file), 'utf8');
    const found = source.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g);
    return [...found].map(([, name = '']) => {
      return { file, target: name.startsWith('.') ? normalize(join(dirname(file), name)) : name };
    });
  });
}

/** `src/images/recipes/layer.ts` → `src/images`; `src/main.ts` → `src`; `images/node/recipe.ts` → `images`. */
function folderOf(file: string): string {
  const folders = file.split('/').slice(0, -1);
  return folders.slice(0, folders[0] === 'src' ? 2 : 1).join('/');
}

const imports = ['src', 'dashboard', 'images', 'services'].flatMap(listImports);

test('every folder of src has a floor', () => {
  const unknown = imports.filter(
    ({ file }) => file.startsWith('src/') && floors[folderOf(file)] === undefined,
  );
  expect(unknown).toEqual([]);
});

test('imports go down', () => {
  const upward = imports.filter(({ file, target }) => {
    if (!file.startsWith('src/') || !/^(src|images)\//.test(target)) return false;
    const [from, to] = [folderOf(file), folderOf(target)];
    return from !== to && !(Number(floors[to]) < Number(floors[from]));
  });
  expect(upward).toEqual([]);
});

/** Functions and ports that write files, or change the cluster or the engine's containers. */
const writers =
  /\b(writeFile\w*|appendFile|mkdir|rename|unlink|rm|setAside|ApiServer|Kubectl)\b|\.(apply|create|delete|patch|run|(start|stop|unpause|remove)Container)\(/;

test('diagnosis and cluster change nothing: that is for steps', () => {
  const files = ['src/diagnosis', 'src/cluster'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((file) => join(folder, file)),
  );
  expect(files.filter((file) => writers.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
});

test('a command has its own folder, and the context that commands share knows none of them', () => {
  /** `src/commands/plan/text.ts` → `plan`; `src/commands/plan.ts` is of the same command. */
  const toPart = (file: string) => file.split('/')[2]?.replace(/\.ts$/, '') ?? '';
  const strayed = imports.filter(({ file, target }) => {
    if (!file.startsWith('src/commands/') || !target.startsWith('src/commands/')) return false;
    const [from, to] = [toPart(file), toPart(target)];
    return from !== to && from !== 'find-command' && from !== 'index' && to !== 'context';
  });
  expect(strayed).toEqual([]);
});

test('lib needs nothing but Node', () => {
  const needy = imports.filter(
    ({ file, target }) => file.startsWith('src/lib/') && !/^(src\/lib\/|node:)/.test(target),
  );
  expect(needy).toEqual([]);
});

test('recipes, stand-ins and the page keep to what they may have of src', () => {
  const isFile = (target: string) => /^(src|dashboard|images|services)\//.test(target);
  const astray = imports.filter(({ file, target }) => {
    const guest = guests[file.split('/')[0] ?? ''];
    return guest !== undefined && isFile(target) && !guest.test(target);
  });
  expect(astray).toEqual([]);
});

test('src has of the folders beside it the recipes only', () => {
  const outward = imports.filter(({ file, target }) => {
    return file.startsWith('src/') && /^(dashboard|services|scripts|test)\//.test(target);
  });
  expect(outward).toEqual([]);
});

test('a package is imported only where it belongs', () => {
  const strayed = imports.filter(
    ({ file, target }) => homes[target] !== undefined && !homes[target]?.test(file),
  );
  expect(strayed).toEqual([]);
});

test('the files that ARCHITECTURE.md names exist', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const section = text.split('## Where is …')[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| [^|]+ \| `([^`]+)` \|$/gm)].map(([, file = '']) => file);
  expect(rows.length).toBeGreaterThan(15);
  // Elsewhere a file is named by its path below src/.
  const named = [...text.matchAll(/`((?:[\w-]+\/)+[\w-]+\.(?:ts|js|yaml))`/g)].map(([, file = '']) => file);
  const missing = [...rows, ...named]
    // The user's own file, which git ignores.
    .filter((file) => file !== 'env/local.yaml')
    .filter((file) => !existsSync(join(root, file)) && !existsSync(join(root, 'src', file)));
  expect(missing).toEqual([]);
});

test('and its table of folders is the one of these tests', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (\d+) \| ((?:`[\w-]+\/` ?)+)\|/gm)].flatMap(([, floor, folders = '']) =>
    [...folders.matchAll(/`([\w-]+)\/`/g)].map(([, folder]) => [`src/${folder}`, Number(floor)] as const),
  );
  const { src, images, ...wanted } = floors;
  expect(Object.fromEntries(rows)).toEqual(wanted);
});
