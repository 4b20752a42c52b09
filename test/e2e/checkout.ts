import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { folderPrefix, removeNodes } from './leftovers.ts';
import { type Ended, type Running, start } from './running.ts';
import { runOnTerminal, type Typing } from './terminal.ts';

/** The location of a test's checkout, with which another process can open it. */
export interface CheckoutLocation {
  /** The folder of the checkout and its data. */
  readonly folder: string;
  /** Name of the checkout's cluster, which is also the name of the folder. */
  readonly name: string;
}

/** The output of `up --json`. */
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

/** A copy of this checkout with its own cluster, state and data folder. The image cache is shared. */
export interface Checkout extends CheckoutLocation {
  /** Folder of the copy. */
  readonly root: string;
  /** Folder of the cluster's data. */
  readonly data: string;
  /** Environment of the commands that run in the copy. */
  readonly env: NodeJS.ProcessEnv;
  /** `npm run <command> -- <words>` in the copy. */
  start(command: string, ...words: string[]): Running;
  run(command: string, ...words: string[]): Promise<Ended>;
  /** Runs a command on a terminal and types these lines. */
  type(typings: readonly Typing[], command: string, ...words: string[]): ReturnType<typeof runOnTerminal>;
  /** `npm run up -- --json`. @throws {Error} with its output when it fails. */
  up(...words: string[]): Promise<UpResult>;
  /** The same copy with another state folder, like another checkout. */
  withState(folder: string): Checkout;
  /** Changes a file of the copy. Resolves to a function that undoes the change. */
  edit(path: string, change: (text: string) => string): Promise<() => Promise<void>>;
  /** Removes the cluster, its data and the folder. */
  remove(): Promise<void>;
}

const source = resolve(import.meta.dirname, '../..');

/** Not copied: ignored files and npm packages, so that the copy is like a clone with uncommitted changes. */
const excluded = new Set([
  '.git',
  '.wealist',
  'node_modules',
  'coverage',
  'env/local.yaml',
  'helm/environments/local-kind-secrets.yaml',
]);

/** Copies this checkout, without its npm packages. */
export async function copyCheckout(folder: string): Promise<void> {
  await cp(source, folder, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !excluded.has(relative(source, path)),
  });
}

/** Creates a checkout that belongs to this process. */
export async function makeCheckout(): Promise<Checkout> {
  const name = `${folderPrefix}${process.pid}-${randomBytes(3).toString('hex')}`;
  const folder = join(tmpdir(), name);
  const root = join(folder, 'checkout');
  await mkdir(root, { recursive: true });
  await copyCheckout(root);
  await symlink(join(source, 'node_modules'), join(root, 'node_modules'));
  return openCheckout({ folder, name });
}

/** Opens a checkout that another process has created. */
export function openCheckout({ folder, name }: CheckoutLocation, settings: NodeJS.ProcessEnv = {}): Checkout {
  const root = join(folder, 'checkout');
  const dataHome = settings.XDG_DATA_HOME ?? join(folder, 'data');
  const env = { ...toUserEnv(process.env), ...settings, XDG_DATA_HOME: dataHome };

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
    data: join(dataHome, 'wealist-local', name),
    env,
    start: startCommand,
    run,
    type: (typings, command, ...words) => runOnTerminal(toLine(command, words), typings, { cwd: root, env }),

    async up(...words) {
      const { stdout, stderr, exitCode } = await run('up', '--yes', '--json', ...words);
      if (exitCode === 0) return JSON.parse(stdout);
      throw new Error(`up failed with exit code ${exitCode}:\n${stderr}`);
    },

    withState: (state) => openCheckout({ folder, name }, { WEALIST_STATE_DIR: state }),

    async edit(path, change) {
      const file = join(root, path);
      const before = await readFile(file, 'utf8');
      const after = change(before);
      if (after === before) throw new Error(`the change of ${path} has no effect`);
      await writeFile(file, after);
      return () => writeFile(file, before);
    },

    async remove() {
      const { exitCode, stderr } = await run('down', '--delete-data', '--yes');
      // Removes everything even when `down` failed.
      await removeNodes((mounted) => mounted.startsWith(`${folder}/`));
      await rm(folder, { recursive: true, force: true });
      if (exitCode !== 0) throw new Error(`down failed:\n${stderr}`);
    },
  };
}

/** The environment of the user, without the variables that npm and vitest have added. */
function toUserEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const added =
    /^(npm_|VITE|VITEST|WEALIST_E2E_|FORCE_COLOR$|TEST$|NODE_ENV$|NODE_OPTIONS$|PROD$|DEV$|MODE$|BASE_URL$|SSR$)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !added.test(name)));
}
