import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BelongingsKeeper } from '../../test/e2e/belongings.ts';
import type { Checkout } from '../../test/e2e/checkout.ts';
import { requestJson } from '../../test/e2e/ingress.ts';
import { runOrFail } from '../../test/e2e/kill-commands.ts';
import type { Load } from './load.ts';

export interface SoakContext {
  readonly checkout: Checkout;
  readonly cacheHome: string;
  /** URL of the ingress. */
  readonly origin: string;
  readonly user: BelongingsKeeper;
  readonly load: Load;
  /** Differs for each operation. */
  readonly number: number;
}

/** Something that a user does all day. */
export interface Operation {
  readonly title: string;
  /** How often it comes in one turn of all. */
  readonly share: number;
  /** Does it, and checks that it took effect. */
  run(context: SoakContext): Promise<void>;
}

/** The service that `reload --watch` follows; the others are reloaded. */
export const watchedService = { name: 'board-service', route: 'board' };
/** Saved before the first operation. */
export const firstSnapshot = 'before-the-soak';

export const operations: readonly Operation[] = [
  ...[
    { name: 'noti-service', route: 'noti' },
    { name: 'user-service', route: 'user' },
    { name: 'storage-service', route: 'storage' },
  ].map(
    ({ name, route }): Operation => ({
      ...{ title: `reload ${name}`, share: 2 },
      run: (context) =>
        changeSource(context, { name, route }, () => runOrFail(context.checkout, 'reload', name)),
    }),
  ),
  {
    ...{ title: `save of a file of ${watchedService.name}`, share: 3 },
    run: (context) => changeSource(context, watchedService, async () => {}),
  },
  {
    ...{ title: 'db save', share: 2 },
    async run({ checkout, number }) {
      await runOrFail(checkout, 'db', 'save', `soak-${number}`);
      // As the tool says: those that have a name stay until the user removes them.
      await rm(join(checkout.data, 'snapshots', `soak-${number}`), { recursive: true });
    },
  },
  {
    ...{ title: 'db restore', share: 2 },
    async run({ checkout, user, load, number }) {
      const { rows } = await user.read();
      await user.query(`INSERT INTO users (text) VALUES ('row ${number}, which the restore removes')`);
      await load.disturb(() => runOrFail(checkout, 'db', 'restore', firstSnapshot, '--yes'));
      const { rows: restored } = await user.read();
      if (restored !== rows) throw new Error(`after the restore the rows are ${restored}, not ${rows}`);
    },
  },
  {
    ...{ title: 'down --stop, up', share: 1 },
    async run({ checkout, load }) {
      await load.disturb(async () => {
        await runOrFail(checkout, 'down', '--stop');
        await checkout.up();
      });
    },
  },
  {
    ...{ title: 'up', share: 1 },
    async run({ checkout }) {
      await checkout.up();
    },
  },
];

/** Changes a file of a service and waits until what it is served by has been made of it. */
async function changeSource(
  { checkout, cacheHome, origin, number }: SoakContext,
  { name, route }: { readonly name: string; readonly route: string },
  deliver: () => Promise<void>,
): Promise<void> {
  const url = `${origin}svc/${route}/`;
  const readHash = async () => (await requestJson<{ sourceHash: string }>(url)).sourceHash;
  const before = await readHash();
  const file = join(checkout.root, 'services', name, 'service.ts');
  const text = await readFile(file, 'utf8');
  await writeFile(file, `${text.replace(/\n\/\/ soak .*\n$/, '\n')}// soak ${number}\n`);
  await makeOlder(join(cacheHome, 'wealist-local'));
  await deliver();
  const end = performance.now() + 60_000;
  while ((await readHash()) === before) {
    if (performance.now() > end) throw new Error(`${name} did not serve its new source within 60 s`);
    await sleep(100);
  }
}

/**
 * Makes what this run has added to the cache an hour older: for so long the tool keeps it, since another checkout may be
 * loading it. Entries with a second name are the user's, too, and stay.
 */
async function makeOlder(cache: string): Promise<void> {
  const old = new Date(Date.now() - 61 * 60_000);
  for (const folder of ['images', 'blobs/sha256']) {
    for (const name of await readdir(join(cache, folder))) {
      const path = join(cache, folder, name);
      if ((await stat(path)).nlink === 1) await utimes(path, old, old);
    }
  }
}
