import { createHash, randomBytes } from 'node:crypto';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../../src/images/store/store.ts';
import type { Checkout } from './checkout.ts';

/** A command that is killed at a random moment. */
export interface KilledCommand {
  /** As in the title of the test. */
  readonly title: string;
  /** Of ten rounds, how many kill this command. */
  readonly share: number;
  /** Brings the cluster, which is up, to the state in which the command has much to do. */
  prepare(context: KillContext): Promise<void>;
  /** The command with its words. */
  words(context: KillContext): readonly [string, ...string[]];
}

export interface KillContext {
  readonly checkout: Checkout;
  /** Differs in each round, for names and contents. */
  readonly mark: string;
  readonly cacheHome: string;
}

/** Saved before the first round. */
export const firstSnapshot = 'before-the-kills';

export const killedCommands: readonly KilledCommand[] = [
  {
    ...{ title: 'up, without a cluster', share: 2 },
    prepare: ({ checkout }) => runOrFail(checkout, 'down'),
    words: () => ['up', '--yes'],
  },
  {
    ...{ title: 'up, after a change of every release', share: 2 },
    async prepare({ checkout, mark }) {
      const level = Number.parseInt(mark.slice(-1), 16) % 2 === 0 ? 'warn' : 'info';
      await setLine(checkout, settings, /LOG_LEVEL: .*/, `LOG_LEVEL: ${level}`);
      await setLine(checkout, shared, /(\n\/\/ round .*)?\n$/, `\n// round ${mark}\n`);
    },
    words: () => ['up', '--yes'],
  },
  {
    ...{ title: 'up, with a stopped cluster', share: 1 },
    prepare: ({ checkout }) => runOrFail(checkout, 'down', '--stop'),
    words: () => ['up', '--yes'],
  },
  {
    ...{ title: 'reload', share: 1 },
    prepare: ({ checkout, mark }) => setLine(checkout, own, /(\n\/\/ round .*)?\n$/, `\n// round ${mark}\n`),
    words: () => ['reload', 'noti-service'],
  },
  { ...{ title: 'db save', share: 1 }, prepare: async () => {}, words: ({ mark }) => ['db', 'save', mark] },
  {
    ...{ title: 'db restore', share: 1 },
    prepare: async () => {},
    words: () => ['db', 'restore', firstSnapshot, '--yes'],
  },
  { ...{ title: 'down', share: 1 }, prepare: async () => {}, words: () => ['down'] },
  {
    ...{ title: 'images prune', share: 1 },
    prepare: ({ cacheHome, mark }) => addUnusedImages(cacheHome, mark),
    words: () => ['images', 'prune', '--yes'],
  },
];

/** Runs a command that must succeed. */
export async function runOrFail(checkout: Checkout, command: string, ...words: string[]): Promise<void> {
  const { stderr, exitCode } = await checkout.run(command, ...words);
  if (exitCode !== 0) throw new Error(`${command} ended with exit code ${exitCode}:\n${stderr}`);
}

const settings = 'helm/environments/local-kind.yaml';
const shared = 'services/common/log.ts';
const own = 'services/noti-service/service.ts';

/** Files of the checkout that the preparations change. */
export const changedFiles = [settings, shared, own] as const;

async function setLine(checkout: Checkout, path: string, pattern: RegExp, text: string): Promise<void> {
  const file = join(checkout.root, path);
  await writeFile(file, (await readFile(file, 'utf8')).replace(pattern, text));
}

/** Images that no checkout has used for 15 days: what `images prune` removes. */
async function addUnusedImages(cacheHome: string, mark: string): Promise<void> {
  const folder = join(cacheHome, 'wealist-local');
  const store = openStore(folder);
  const long = new Date(Date.now() - 15 * 24 * 60 * 60 * 1000);
  for (let number = 0; number < 200; number += 1) {
    const layer = await store.putBlob(bytes(randomBytes(16 * 1024)));
    const hash = createHash('sha256').update(`${mark} ${number}`).digest('hex').slice(0, 16);
    const key = `pulled-unused-${hash}`;
    await store.putImage(key, { config: '{}', layers: [layer] });
    for (const path of [`images/${key}.json`, `blobs/${layer.digest.replace(':', '/')}`]) {
      await utimes(join(folder, path), long, long);
    }
  }
}

async function* bytes(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}
