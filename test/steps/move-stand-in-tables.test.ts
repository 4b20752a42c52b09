import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { moveStandInTables } from '../../src/steps/move-stand-in-tables.ts';
import type { Kubectl } from '../../src/tools/kubernetes/kubectl.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const namespace = 'wealist-kind-local';
const signal = new AbortController().signal;

interface World {
  /** Misplaced tables by database. */
  readonly tables?: Readonly<Record<string, readonly string[]>>;
  readonly deployed?: readonly string[];
  readonly services?: readonly string[];
  readonly hasPod?: boolean;
  /** Whether the data folder has PostgreSQL's volume. */
  readonly hasData?: boolean;
}

const serviceOf = (database: string) => database.replace(/^wealist_(\w+)_service_db$/, '$1-service');

/** A cluster with a database per service, and what was done to it, in order. */
async function makeWorld({
  tables = {},
  deployed = [],
  services = [],
  hasPod = true,
  hasData = true,
}: World) {
  const done: string[] = [];
  const databases = new Map(Object.entries(tables));
  const pod = {
    kind: 'Pod',
    metadata: {
      name: 'postgres-0',
      namespace,
      uid: 'p',
      labels: { 'app.kubernetes.io/part-of': 'wealist', 'app.kubernetes.io/name': 'postgres' },
    },
    spec: { containers: [] },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
  const deployments = deployed.map((name) => ({
    kind: 'Deployment',
    metadata: { name, namespace, uid: name },
  }));
  const objects = [...(hasPod ? [pod] : []), ...deployments] as unknown as Parameters<
    typeof createSnapshot
  >[1];
  const configs = deployed.map((name) => ({
    metadata: { name: `${name}-config` },
    data: { DB_NAME: `wealist_${name.replace('-', '_')}_db` },
  }));
  const kubectl = {
    getJson: async () => ({ items: configs }),
    run: async (args: readonly string[]) => void done.push(args.slice(0, 3).join(' ')),
  } as unknown as Kubectl;
  const data = await makeTemporaryFolder();
  if (hasData) await mkdir(join(data, 'volumes', namespace, 'data-postgres-0'), { recursive: true });
  const step = moveStandInTables({
    kubectl,
    waitForStores: async () => {},
    snapshots: { take: async () => createSnapshot(0, objects) },
    openPostgres: ({ pod: name }) => ({
      listDatabases: async () =>
        [...databases.keys()].map((database) => ({ name: database, bytes: 0, comment: null })),
      readJson: async (database) => databases.get(database) ?? [],
      async run(sql) {
        const [, database = ''] = /^\\connect "(\w+)"/.exec(sql) ?? [];
        done.push(`${name} moves ${databases.get(database)} of ${serviceOf(database)}`);
        databases.set(database, []);
      },
    }),
    namespace,
    repairs: false,
    services,
    data,
  });
  const run = { signal, report: () => {} };
  return { data, done, apply: () => step.apply(run), isDone: () => step.isDone?.(run) };
}

const board = 'wealist_board_service_db';
const chat = 'wealist_chat_service_db';

test('once no stand-in has tables in public, it is not looked for again', async () => {
  const world = await makeWorld({ tables: { [board]: [] } });
  expect(await world.isDone()).toBe(false);
  await world.apply();
  expect(world.done).toEqual([]);
  expect(await world.isDone()).toBe('in schema stand_in');
});

test('tables move after the stand-in that would make them again has ended', async () => {
  const world = await makeWorld({
    tables: { [board]: ['boards'], [chat]: [] },
    deployed: ['board-service', 'chat-service'],
    services: ['board-service', 'chat-service'],
  });
  await world.apply();
  expect(world.done).toEqual(['delete deployment board-service', 'postgres-0 moves boards of board-service']);
  expect(await world.isDone()).toBe('in schema stand_in');
});

test('data of an earlier cluster moves although its service is not deployed', async () => {
  const world = await makeWorld({ tables: { [board]: ['boards'] }, services: ['board-service'] });
  await world.apply();
  expect(world.done).toEqual(['postgres-0 moves boards of board-service']);
});

test('a service that this run does not deploy keeps running, and a later run moves its tables', async () => {
  const world = await makeWorld({
    tables: { [board]: ['boards'], [chat]: ['chats', 'messages'] },
    deployed: ['board-service', 'chat-service'],
    services: ['chat-service'],
  });
  await world.apply();
  expect(world.done).toEqual([
    'delete deployment chat-service',
    'postgres-0 moves chats,messages of chat-service',
  ]);
  expect(await world.isDone()).toBe(false);
});

test('where there are no databases yet, there is nothing to look for', async () => {
  expect(await (await makeWorld({ hasData: false })).isDone()).toBe('there are no databases yet');
});

test('a data folder that cannot be looked at is not taken for one without databases', async () => {
  const world = await makeWorld({ hasData: false });
  await writeFile(join(world.data, 'volumes'), 'in the place of a folder');
  await expect(world.isDone()).rejects.toThrow('ENOTDIR');
});

test('without PostgreSQL in the cluster nothing is done', async () => {
  const world = await makeWorld({ tables: { [board]: ['boards'] }, hasPod: false });
  await world.apply();
  expect(world.done).toEqual([]);
  expect(await world.isDone()).toBe(false);
});
