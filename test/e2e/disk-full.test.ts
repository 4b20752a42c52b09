import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { openStore } from '../../src/images/store/store.ts';
import { findPaths } from '../../src/state/paths.ts';
import { type Belongings, type BelongingsKeeper, keepBelongings } from './belongings.ts';
import { openCheckout } from './checkout.ts';
import { listNodes } from './cluster.ts';
import { requestJson } from './ingress.ts';
import { runOrFail } from './kill-commands.ts';
import { makePrivateCache } from './private-cache.ts';
import type { Ended } from './running.ts';
import { sharedCheckout, testIf } from './shared-checkout.ts';
import { canMount, makeSmallDisk, type SmallDisk } from './small-disk.ts';

// Mounting a file system needs root.
const test = testIf(canMount);

const shared = sharedCheckout();
const folder = join(shared.folder, 'small');
const cacheHome = join(folder, 'cache');
/** The shared checkout, with its data and its cache on a disk of their own. */
const checkout = openCheckout(shared, { XDG_DATA_HOME: join(folder, 'data'), XDG_CACHE_HOME: cacheHome });

/** Bytes for the volumes and what is added to the cache. */
const room = 1_000_000_000;
let disk: SmallDisk;
let user: BelongingsKeeper;
let origin = '';
let before: Belongings;

beforeAll(async () => {
  const { blobs, files } = await openStore(findPaths().cache).list();
  const cached = [...blobs, ...files].reduce((total, { bytes }) => total + bytes, 0);
  disk = await makeSmallDisk(folder, cached * 1.02 + room);
  await makePrivateCache(cacheHome);
  // A cluster stays with its data folder.
  await runOrFail(shared, 'down');
  await converge();
  user = keepBelongings(checkout, () => origin);
  await user.add('before the disk was full');
  await user.query(
    'INSERT INTO users (text) SELECT md5(i::text) || md5((-i)::text) FROM generate_series(1, 200000) i',
  );
  await runOrFail(checkout, 'db', 'save', 'whole');
  before = await user.read();
});

/** Whatever failed, with room again a plain `up` has everything as it was. */
afterEach(async () => {
  await disk.free();
  await converge();
  expect(await user.read()).toEqual(before);
});

afterAll(async () => {
  await disk?.free();
  await runOrFail(checkout, 'down', '--delete-data', '--yes').finally(() => disk?.remove());
  await rm(folder, { recursive: true, force: true });
});

async function converge(): Promise<void> {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
}

const readHash = async () => (await requestJson<{ sourceHash: string }>(`${origin}svc/noti/`)).sourceHash;

/** Its layer is larger than what a data store may give back meanwhile. Resolves to a function that undoes it. */
function changeSource(mark: string): Promise<() => Promise<void>> {
  const filler = mark.padEnd(2_000_000, '.');
  return checkout.edit(
    'services/noti-service/service.ts',
    (text) => `${text}\nObject.assign(globalThis, { filler: '${filler}' });\n`,
  );
}

/** One failure of this machine, which names the disk and what makes room on it. */
function expectFullDisk({ stderr, exitCode }: Ended): void {
  expect(exitCode, stderr).toBe(3);
  expect(stderr).toContain('no space left on device');
  expect(stderr).toContain(folder);
  expect(stderr).toMatch(new RegExp(`fix +npm run images -- prune, or make room on the disk of ${folder}`));
  expect(stderr).not.toContain('    at ');
}

describe('on a full disk of the data and the cache', () => {
  test('reload: the disk is named, and the previous pods serve; with room it goes on', async () => {
    const running = await readHash();
    onTestFinished(await changeSource('on a full disk'));
    await disk.fill();
    expectFullDisk(await checkout.run('reload', 'noti-service'));
    expect(await readHash()).toBe(running);
    await disk.free();
    expect(await checkout.run('reload', 'noti-service')).toMatchObject({ exitCode: 0 });
    expect(await readHash()).not.toBe(running);
  });

  test('db save: the disk is named, and nothing of the snapshot is left', async () => {
    await disk.fill();
    expectFullDisk(await checkout.run('db', 'save', 'on-a-full-disk'));
    expect(await readdir(join(checkout.data, 'snapshots'))).toEqual(['whole']);
  });

  test('db restore: nothing is replaced, since what is there cannot be saved first', async () => {
    await disk.fill();
    expectFullDisk(await checkout.run('db', 'restore', 'whole', '--yes'));
    expect(await readdir(join(checkout.data, 'snapshots'))).toEqual(['whole']);
  });

  test('up with something to build: the disk is named, and the previous pods serve', async () => {
    const running = await readHash();
    onTestFinished(await changeSource('by up'));
    await disk.fill();
    expectFullDisk(await checkout.run('up', '--yes'));
    expect(await readHash()).toBe(running);
  });

  test('up without a cluster: refused before anything is made', async () => {
    await runOrFail(checkout, 'down');
    await disk.fill();
    expectFullDisk(await checkout.run('up', '--yes'));
    expect(await listNodes(checkout)).toEqual([]);
  });

  test('up without a cluster, full from the moment that it is created: the disk is the cause', async () => {
    await runOrFail(checkout, 'down');
    const running = checkout.start('up', '--yes');
    await running.said(`❯ cluster ${checkout.name}`);
    await disk.fill();
    const { stderr, exitCode } = await running.ended;
    expect({ stderr, exitCode }).toMatchObject({
      stderr: expect.stringMatching(/no space left on device|disk is full/i),
      exitCode: expect.toSatisfy((code) => [3, 6, 8].includes(code)),
    });
    expect(stderr).toMatch(/fix +npm run /);
  });
});
