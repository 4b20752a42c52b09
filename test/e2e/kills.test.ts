import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { openStore } from '../../src/images/store/store.ts';
import { listFiles } from '../../src/lib/folder.ts';
import { toTable } from '../../src/ui/table.ts';
import { type BelongingsKeeper, keepBelongings } from './belongings.ts';
import { openCheckout } from './checkout.ts';
import { docker, listUnreadyPods, nodeOf, ours } from './cluster.ts';
import {
  changedFiles,
  firstSnapshot,
  type KillContext,
  type KilledCommand,
  killedCommands,
  runOrFail,
} from './kill-commands.ts';
import { makeOtherCheckout, type OtherCheckout } from './other-checkout.ts';
import { makePrivateCache } from './private-cache.ts';
import { useQuietPorts } from './quiet-ports.ts';
import { createRandom, readSeed } from './random.ts';
import { listProcessesOf, runVariable } from './run-processes.ts';
import type { Ended } from './running.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const shared = sharedCheckout();
const cacheHome = join(shared.folder, 'cache');
/** The shared checkout, with a cache from which `images prune` may remove something. */
const checkout = openCheckout(shared, { XDG_CACHE_HOME: cacheHome });

const seed = readSeed('WEALIST_E2E_KILLS_SEED');
const random = createRandom(seed);
const count = Number(process.env.WEALIST_E2E_KILLS ?? 40);

/** Every ten rounds, each command is killed as often as its share says. */
const rounds = Array.from({ length: Math.ceil(count / 10) }, () =>
  random.shuffle(killedCommands.flatMap((command) => Array<KilledCommand>(command.share).fill(command))),
)
  .flat()
  .slice(0, count)
  .map((command, at) => ({ command, fraction: random.fraction(), number: at + 1 }))
  .map((round) => ({ ...round, percent: Math.round(100 * round.fraction) }));

interface Row {
  readonly title: string;
  /** Seconds after the start, and those that the command takes undisturbed. */
  readonly moment: string;
  readonly exit: string;
  readonly recovery: string;
}
const summary: Row[] = [];
/** Seconds that each command takes undisturbed. */
const durations = new Map<KilledCommand, number>();
const originals = new Map<string, string>();
let settings = '';
let origin = '';
let user: BelongingsKeeper;
let other: OtherCheckout;

beforeAll(async () => {
  process.stderr.write(`to repeat: WEALIST_E2E_KILLS_SEED=${seed} WEALIST_E2E_KILLS=${count}\n`);
  await makePrivateCache(cacheHome);
  for (const path of changedFiles) originals.set(path, await readFile(join(checkout.root, path), 'utf8'));
  settings = await useQuietPorts(checkout);
  await runOrFail(shared, 'down');
  await converge();
  user = keepBelongings(checkout, () => origin);
  other = await makeOtherCheckout(checkout, cacheHome);
  await user.add('before the first kill');
  // So that saving and restoring take seconds.
  await user.query(
    "INSERT INTO users (text) SELECT md5(i::text) || repeat('x', 200) FROM generate_series(1, 100000) i",
  );
  await runOrFail(checkout, 'db', 'save', firstSnapshot);
});

afterAll(async () => {
  const rows = summary.map(({ title, moment, exit, recovery }) => [title, moment, exit, recovery]);
  process.stderr.write(`${toTable(rows, ['killed', 'at', 'exit', 'recovery'])}\n`);
  for (const [path, text] of originals) await writeFile(join(checkout.root, path), text);
  await other?.remove();
  await rm(settings, { force: true });
  await rm(cacheHome, { recursive: true, force: true });
});

/** Plain `up`, which must succeed whatever was interrupted before. Resolves to its seconds. */
async function converge(): Promise<number> {
  const result = await checkout.up();
  origin = result.addresses[0]?.url ?? '';
  return result.milliseconds / 1000;
}

describe('kill -9 of the process group', () => {
  // One round brings a cluster up as often as five times, and other programs may use the processors.
  const timeout = 20 * 60_000;
  test.each(rounds)(
    '$number: $command.title, at $percent %',
    { timeout },
    async ({ command, fraction, number }) => {
      const context = { checkout, cacheHome, mark: `round-${number}-${seed.toString(16)}${number % 10}` };
      await converge();
      const duration = durations.get(command) ?? (await measure(command, context));
      await user.add(context.mark);
      const before = await user.read();
      const theirs = await other.describe();

      const { ended, run, seconds } = await killAt(fraction * duration, command, context);
      const exit = ended.signal ?? `${ended.exitCode}`;
      const row = { title: command.title, moment: `${seconds.toFixed(2)} of ${duration.toFixed(2)} s`, exit };
      try {
        await expect.poll(() => listProcessesOf(run)).toEqual([]);
        const recovery = await converge();
        summary.push({ ...row, recovery: `${recovery.toFixed(1)} s` });
      } catch (error) {
        summary.push({ ...row, recovery: 'failed' });
        throw error;
      }

      await settle(command, context, before.rows);
      expect(await user.read()).toEqual({
        ...before,
        snapshots: expect.arrayContaining(before.snapshots.filter(isNamed)),
      });
      expect(await other.describe()).toBe(theirs);
      expect(await listUnreadyPods(checkout, ...ours)).toEqual([]);
      expect(await checkout.run('status', '--exit-code')).toMatchObject({ exitCode: 0 });
      await expectNothingLeft();
    },
  );
});

/** Of those that restores make, only the last three stay. */
const isNamed = (snapshot: string) => !snapshot.startsWith('auto-');

/** Runs the command undisturbed, and returns to the state before. Resolves to its seconds. */
async function measure(command: KilledCommand, context: KillContext): Promise<number> {
  const { rows } = await user.read();
  const undisturbed = { ...context, mark: `${context.mark}-m` };
  await command.prepare(undisturbed);
  const { seconds, exitCode, stderr } = await checkout.run(...command.words(undisturbed));
  if (exitCode !== 0) throw new Error(`${command.title}, undisturbed: exit code ${exitCode}\n${stderr}`);
  durations.set(command, seconds);
  await converge();
  await settle(command, undisturbed, rows);
  return seconds;
}

/** Kills the command after so many seconds. One that has ended before is started again, and killed earlier. */
async function killAt(
  wanted: number,
  command: KilledCommand,
  context: KillContext,
): Promise<{ readonly ended: Ended; readonly run: string; readonly seconds: number }> {
  for (let seconds = wanted; ; seconds *= 0.8) {
    await command.prepare(context);
    const run = randomUUID();
    const marked = openCheckout(shared, { XDG_CACHE_HOME: cacheHome, [runVariable]: run });
    const running = marked.start(...command.words(context));
    await Promise.race([sleep(seconds * 1000), running.ended]);
    try {
      running.signalGroup('SIGKILL');
    } catch {
      // It has ended by itself.
      await converge();
      continue;
    }
    return { ended: await running.ended, run, seconds };
  }
}

/** What follows after a command was killed or has ended, until all is as before. */
async function settle({ title }: KilledCommand, { mark }: KillContext, rows: string): Promise<void> {
  if (title === 'db restore') {
    const now = (await user.read()).rows;
    if (now === rows) return;
    // It came so far: what it has replaced is in the newest automatic snapshot.
    const { snapshots } = await user.read();
    const kept = snapshots.filter((name) => name.startsWith('auto-before-restore-')).at(-1) ?? '';
    await runOrFail(checkout, 'db', 'restore', kept, '--yes');
  }
  if (title === 'db save') {
    const { snapshots } = await user.read();
    if (!snapshots.includes(mark)) await runOrFail(checkout, 'db', 'save', mark);
  }
  if (title === 'images prune') {
    await runOrFail(checkout, 'images', 'prune', '--yes');
    const { images } = await openStore(join(cacheHome, 'wealist-local')).list();
    expect(images.filter(({ key }) => key.startsWith('pulled-unused-'))).toEqual([]);
  }
}

/** Nothing that is used is half, and nothing half is left: in the cache, and of programs that ran on the node. */
async function expectNothingLeft(): Promise<void> {
  const store = openStore(join(cacheHome, 'wealist-local'));
  const { images } = await store.list();
  for (const { key, image } of images) {
    expect(image, key).toBeDefined();
    expect(await store.findImage(key), key).toBeDefined();
  }
  const inspect = () => docker('inspect', '--format={{json .ExecIDs}}', nodeOf(checkout.name));
  await expect.poll(inspect).toEqual(['null']);
}

describe('other faults', () => {
  test('docker kill of the node in the middle of up: exit code and cause, and the next up resumes', async () => {
    await converge();
    await user.add('before the node is killed');
    const before = await user.read();
    const [, change] = killedCommands;
    if (!change) throw new Error('no command changes every release');
    await change.prepare({ checkout, cacheHome, mark: `node-${seed.toString(16)}` });
    const running = checkout.start('up', '--yes');
    await running.said('❯ wealist-infrastructure');
    await docker('kill', nodeOf(checkout.name));
    const { stderr, exitCode, seconds } = await running.ended;
    // Not a bug's stack trace, and not a success.
    expect({ stderr, exitCode }).toMatchObject({
      exitCode: expect.toSatisfy((code) => [5, 6, 8].includes(code)),
    });
    expect(stderr).toMatch(/fix +npm run /);
    const recovery = await converge();
    summary.push({
      title: 'up: docker kill of the node',
      moment: `ended after ${seconds.toFixed(1)} s`,
      exit: String(exitCode),
      recovery: `${recovery.toFixed(1)} s`,
    });
    expect(await user.read()).toEqual(before);
  });

  test('the cache is whole: every layer has its digest, and no work folder of a dead run is left', async () => {
    await runOrFail(checkout, 'reload', 'noti-service');
    const folder = join(cacheHome, 'wealist-local');
    const store = openStore(folder);
    const { images } = await store.list();
    const digests = new Set(images.flatMap(({ image }) => image?.layers.map(({ digest }) => digest) ?? []));
    // The stream ends with an error when the content is not that of the digest.
    for (const digest of digests) for await (const _ of store.openBlob(digest));
    expect(await listFiles(join(folder, 'work'))).toEqual([]);
  });
});
