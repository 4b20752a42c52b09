import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { folderPrefix, removeNodes } from './leftovers.ts';
import { type Ended, type Running, start } from './running.ts';
import { runOnTerminal, type Typing } from './terminal.ts';

/** Where a checkout of a test lies; enough to open it in another process. */
export interface Place {
  /** Holds all that is the test's own: the checkout and its data. */
  readonly folder: string;
  /** Of the checkout's cluster: the folder's own name. */
  readonly name: string;
}

/** What `up --json` says. */
export interface UpResult {
  readonly changed: boolean;
  readonly milliseconds: number;
  readonly steps: readonly {
    readonly stage: string;
    readonly step: string;
    readonly skipped?: string;
    readonly milliseconds: number;
  }[];
  readonly addresses: readonly { readonly name: string; readonly url: string }[];
}

/** A copy of this checkout with a cluster, a state and a data folder of its own; it shares the cache of images. */
export interface Checkout extends Place {
  /** The copy. */
  readonly root: string;
  /** The cluster's data. */
  readonly data: string;
  /** Of every command that is run in the copy. */
  readonly env: NodeJS.ProcessEnv;
  /** `npm run <command> -- <words>` in the copy. */
  start(command: string, ...words: string[]): Running;
  run(command: string, ...words: string[]): Promise<Ended>;
  /** The same on a terminal, with what a person types there. */
  type(typings: readonly Typing[], command: string, ...words: string[]): ReturnType<typeof runOnTerminal>;
  /** `npm run up -- --json`. @throws {Error} with its output unless it ends well. */
  up(...words: string[]): Promise<UpResult>;
  /** The same copy, as another checkout would be: with this folder for its state. */
  withState(folder: string): Checkout;
  /** Changes a file of the copy. Resolves to what takes the change back. */
  edit(path: string, change: (text: string) => string): Promise<() => Promise<void>>;
  /** The cluster, its data and the folder are gone. */
  remove(): Promise<void>;
}

const source = resolve(import.meta.dirname, '../..');

/** Neither what git ignores nor what npm can install: the copy is what a clone would be, with what is not committed yet. */
const left = new Set([
  '.git',
  '.wealist',
  'node_modules',
  'coverage',
  'env/local.yaml',
  'helm/environments/local-kind-secrets.yaml',
]);

/** Makes a checkout that is this process's. */
export async function makeCheckout(): Promise<Checkout> {
  const name = `${folderPrefix}${process.pid}-${randomBytes(3).toString('hex')}`;
  const folder = join(tmpdir(), name);
  const root = join(folder, 'checkout');
  await mkdir(root, { recursive: true });
  await cp(source, root, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !left.has(relative(source, path)),
  });
  await symlink(join(source, 'node_modules'), join(root, 'node_modules'));
  return openCheckout({ folder, name });
}

/** The checkout at a place that another process has made. */
export function openCheckout({ folder, name }: Place, settings: NodeJS.ProcessEnv = {}): Checkout {
  const root = join(folder, 'checkout');
  const env = { ...toPersonsEnv(process.env), XDG_DATA_HOME: join(folder, 'data'), ...settings };

  const toLine = (command: string, words: readonly string[]) => {
    const isNamed = words.some((word) => word.startsWith('--name='));
    const takesName = command === 'up' || command === 'down';
    const args = takesName && !isNamed ? [...words, `--name=${name}`] : words;
    return ['npm', 'run', '--silent', command, '--', ...args];
  };
  const startCommand: Checkout['start'] = (command, ...words) =>
    start(toLine(command, words), { cwd: root, env });
  const run: Checkout['run'] = (command, ...words) => startCommand(command, ...words).ended;

  return {
    folder,
    name,
    root,
    data: join(folder, 'data/wealist-local', name),
    env,
    start: startCommand,
    run,
    type: (typings, command, ...words) => runOnTerminal(toLine(command, words), typings, { cwd: root, env }),

    async up(...words) {
      const { stdout, stderr, exitCode } = await run('up', '--yes', '--json', ...words);
      if (exitCode === 0) return JSON.parse(stdout);
      throw new Error(`up ended with exit code ${exitCode}:\n${stderr}`);
    },

    withState: (state) => openCheckout({ folder, name }, { WEALIST_STATE_DIR: state }),

    async edit(path, change) {
      const file = join(root, path);
      const before = await readFile(file, 'utf8');
      const after = change(before);
      if (after === before) throw new Error(`${path} has nothing that is to be changed`);
      await writeFile(file, after);
      return () => writeFile(file, before);
    },

    async remove() {
      const { exitCode, stderr } = await run('down', '--delete-data', '--yes');
      // Whatever came of it, nothing stays behind.
      await removeNodes((mounted) => mounted.startsWith(`${folder}/`));
      await rm(folder, { recursive: true, force: true });
      if (exitCode !== 0) throw new Error(`down did not end well:\n${stderr}`);
    },
  };
}

/** The environment of whoever started the tests, without what npm and vitest have added to it. */
function toPersonsEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const added =
    /^(npm_|VITE|VITEST|WEALIST_E2E_|TEST$|NODE_ENV$|NODE_OPTIONS$|PROD$|DEV$|MODE$|BASE_URL$|SSR$)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !added.test(name)));
}
