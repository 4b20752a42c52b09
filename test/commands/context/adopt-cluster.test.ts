import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { requireOwnOrAdopted } from '../../../src/cluster/orphan.ts';
import { findCluster } from '../../../src/cluster/ownership.ts';
import { adoptCluster } from '../../../src/commands/context/adopt-cluster.ts';
import { findCheckoutId, writeCheckoutId } from '../../../src/state/checkout-id.ts';
import {
  type ClusterRecord,
  findClusterRecord,
  writeClusterRecord,
} from '../../../src/state/cluster-record.ts';
import { findOwnerRecord, writeOwnerRecord } from '../../../src/state/owner-record.ts';
import { createKindEngine } from '../../fakes/kind-engine.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const { signal } = new AbortController();
const theirs = 'aaaaaaaaaaaaaaaa';
const ours = 'bbbbbbbbbbbbbbbb';
const record: ClusterRecord = {
  name: 'wealist',
  httpPort: 80,
  httpsPort: 443,
  controller: 'nginx',
  nodes: ['db'],
  extras: ['monitoring'],
  lacking: [],
};

/** A checkout, and the cluster of another one whose folder and ID are there. */
async function makeWorld({ mounted = 'data' } = {}) {
  const folder = await makeTemporaryFolder();
  const toPlace = (name: string) => ({ checkout: join(folder, name), state: join(folder, name, '.wealist') });
  const other = toPlace('other');
  const paths = { ...toPlace('this'), cache: join(folder, 'cache'), data: join(folder, 'data') };
  const data = join(paths.data, 'wealist');
  const ownerFolder = join(folder, mounted, 'wealist/owners', theirs);
  await Promise.all([other, paths].map(({ state }) => mkdir(state, { recursive: true })));
  await writeCheckoutId(other, theirs);
  await writeOwnerRecord(ownerFolder, other);
  await writeClusterRecord({ state: ownerFolder }, record);
  const engine = createKindEngine({ data: join(folder, mounted, 'wealist') });
  engine.add('wealist-control-plane', { cluster: 'wealist', owner: theirs });
  const questions: string[] = [];

  async function find() {
    const found = await findCluster(engine.docker, 'wealist', signal);
    if (!found) throw new Error('no cluster exists');
    return found;
  }
  return {
    ...{ engine, other, paths, data, ownerFolder, questions, find },
    adopt: async () =>
      adoptCluster({
        app: { paths, signal, confirm: async ({ heading }) => void questions.push(heading) },
        docker: engine.docker,
        found: await find(),
        ...{ data, confirmed: true, record: await findClusterRecord(paths) },
        checkoutId: await findCheckoutId(paths),
      }),
    require: async () => requireOwnOrAdopted(await find(), await findCheckoutId(paths), data),
  };
}

type World = Awaited<ReturnType<typeof makeWorld>>;

describe('a cluster is adopted once, with its record, when its checkout', () => {
  test.each<[string, (world: World) => Promise<void>]>([
    ['no longer exists', ({ other }) => rm(other.checkout, { recursive: true })],
    ['has lost its ID', ({ other }) => rm(other.state, { recursive: true })],
    ['has lost its ID', ({ other }) => writeFile(join(other.state, 'id'), 'damaged')],
    ['has lost its ID', ({ other }) => writeCheckoutId(other, ours)],
  ])('%s', async (loss, lose) => {
    const world = await makeWorld();
    await lose(world);
    const { other, paths, ownerFolder, questions } = world;
    await expect(world.require()).rejects.toMatchObject({
      ...{ exitCode: 9, message: `cluster wealist belongs to checkout ${other.checkout}, which ${loss}` },
      hint: expect.stringContaining('npm run up -- --name wealist, which adopts'),
    });
    expect(await world.adopt()).toBe(theirs);
    expect(questions).toEqual([
      `cluster wealist belongs to checkout ${other.checkout}, which ${loss}. This checkout will own it:`,
    ]);
    expect(await findCheckoutId(paths)).toBe(theirs);
    expect(await findClusterRecord(paths)).toEqual(record);
    expect(await findOwnerRecord(ownerFolder)).toEqual({ checkout: paths.checkout, state: paths.state });
    await world.require();
    expect(await world.adopt()).toBe(theirs);
    expect(questions).toHaveLength(1);
  });
});

test("this checkout's own cluster comes back after its ID was damaged, with the record that is there", async () => {
  const world = await makeWorld();
  const { paths, ownerFolder } = world;
  await writeOwnerRecord(ownerFolder, paths);
  await writeClusterRecord(paths, { ...record, extras: [] });
  await writeFile(join(paths.state, 'id'), '\0');
  expect(await world.adopt()).toBe(theirs);
  expect(await findClusterRecord(paths)).toMatchObject({ extras: [] });
});

describe('a cluster is not adopted, and belongs to another checkout,', () => {
  test.each<[string, string, (world: World) => Promise<void>]>([
    ['while its checkout exists', 'data', async () => {}],
    [
      'when it does not say where its checkout is, as in earlier versions',
      'data',
      ({ ownerFolder }) => rm(join(ownerFolder, 'checkout')),
    ],
    [
      'when its data are in another folder',
      'elsewhere',
      ({ other }) => rm(other.checkout, { recursive: true }),
    ],
  ])('%s', async (_, mounted, prepare) => {
    const world = await makeWorld({ mounted });
    await prepare(world);
    expect(await world.adopt()).toBeUndefined();
    expect(world.questions).toEqual([]);
    await expect(world.require()).rejects.toMatchObject({
      ...{ exitCode: 9, message: 'cluster wealist belongs to another checkout' },
    });
  });
});

test.each<[string, (world: World) => Promise<unknown>]>([
  [
    'in the engine',
    ({ engine, paths }) => {
      engine.add('mine-control-plane', { cluster: 'mine', owner: ours, state: 'exited' });
      return writeCheckoutId(paths, ours);
    },
  ],
  ['in its record', ({ paths }) => writeClusterRecord(paths, { ...record, name: 'mine' })],
])('a checkout that has another cluster %s adopts none', async (_, prepare) => {
  const world = await makeWorld();
  await rm(world.other.checkout, { recursive: true });
  await prepare(world);
  const id = await findCheckoutId(world.paths);
  await expect(world.adopt()).rejects.toMatchObject({
    ...{ exitCode: 9, message: expect.stringMatching(/and this checkout has cluster mine$/) },
    hint: expect.stringMatching(/^npm run down -- --name mine, then npm run up -- --name wealist/),
  });
  expect(await findCheckoutId(world.paths)).toBe(id);
});

test('of two checkouts that adopt a cluster at once, one gets it', async () => {
  const world = await makeWorld();
  await rm(world.other.checkout, { recursive: true });
  const { engine, data, paths, find } = world;
  const found = await find();
  const checkouts = ['a', 'b'].map((name) => ({
    ...paths,
    checkout: join(paths.checkout, name),
    state: join(paths.checkout, name, '.wealist'),
  }));
  await Promise.all(checkouts.map(({ state }) => mkdir(state, { recursive: true })));
  const app = { signal, confirm: async () => {} };
  const options = { docker: engine.docker, found, data, confirmed: true, record: undefined };
  const owners = await Promise.all(
    checkouts.map((each) =>
      adoptCluster({ ...options, app: { ...app, paths: each }, checkoutId: undefined }),
    ),
  );
  expect(owners.toSorted()).toEqual([theirs, undefined]);
  const ids = await Promise.all(
    checkouts.map(({ state }) => readFile(join(state, 'id'), 'utf8').catch(() => '')),
  );
  expect(ids.toSorted()).toEqual(['', `${theirs}\n`]);
});
