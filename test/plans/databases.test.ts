import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { exitCodes, Failure } from '../../src/lib/failure.ts';
import { createWatch } from '../../src/lib/watchdog.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { planReplace, planSave } from '../../src/plans/databases.ts';
import { getSnapshot, listSnapshots } from '../../src/state/database-snapshots.ts';
import { isLeftover, type SwapState } from '../../src/steps/replace-databases.ts';
import type { Kubectl } from '../../src/tools/kubernetes/kubectl.ts';
import { createPostgresFake } from '../fakes/postgres.ts';
import { noWatch } from '../fakes/watch.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const bootstrap = `SELECT 'users_db'; CREATE DATABASE "users_db"; \\connect "users_db"
CREATE DATABASE "chat_db"; CREATE DATABASE "other_db";`;

async function start({ watch = noWatch } = {}) {
  const databases = new Map([
    ['users_db', 'Ada, Grace'],
    ['chat_db', 'hello'],
    ['other_db', 'kept'],
  ]);
  const comments = new Map<string, string>();
  const { postgres, faults } = createPostgresFake(databases, comments);
  const folder = join(await makeTemporaryFolder(), 'snapshots');
  const parts = {
    ...{ postgres, folder, watch, namespace: 'wealist-kind-local', kubectl: {} as Kubectl },
    snapshots: { take: async () => Promise.reject(new Error('nothing is asked')) },
    images: async () => ({ 'user-service': 'sha256:1' }),
    bootstrap: async () => bootstrap,
  };
  const names = ['users_db', 'chat_db'];
  const states: SwapState[] = [];
  const replace = async (keptAs: string, name?: string, signal?: AbortSignal) => {
    const snapshot = name === undefined ? undefined : await getSnapshot(folder, name);
    const onSwap = (state: SwapState) => void states.push(state);
    return run(
      planReplace({ ...parts, databases: names }, { snapshot, present: names, keptAs, services: [], onSwap }),
      signal,
    );
  };
  return {
    databases,
    comments,
    postgres,
    faults,
    folder,
    save: (name: string) => run(planSave({ ...parts, name, databases: names })),
    replace,
    states,
  };
}

async function run(plan: Plan, signal = new AbortController().signal): Promise<void> {
  for (const { steps } of plan) {
    signal.throwIfAborted();
    await Promise.all(steps.map((step) => step.apply({ signal, report() {} })));
  }
}

test('a snapshot is restored, the replaced content is saved, and other databases are unchanged', async () => {
  const { databases, save, replace, folder } = await start();
  await save('first');
  databases.set('users_db', 'Ada');
  await replace('auto-1', 'first');
  expect(Object.fromEntries(databases)).toEqual({
    users_db: 'Ada, Grace',
    chat_db: 'hello',
    other_db: 'kept',
  });
  await replace('auto-2', 'auto-1');
  expect(databases.get('users_db')).toBe('Ada');
  expect((await getSnapshot(folder, 'first')).images).toEqual({ 'user-service': 'sha256:1' });
});

test('a reset leaves empty databases', async () => {
  const { databases, replace } = await start();
  await replace('auto-1');
  expect(Object.fromEntries(databases)).toEqual({ users_db: '', chat_db: '', other_db: 'kept' });
});

test.each(['restore', 'rename'] as const)(
  'broken off in its %s, it has changed nothing, and can be repeated',
  async (fault) => {
    const { databases, faults, save, replace } = await start();
    await save('first');
    databases.set('users_db', 'Ada');
    databases.set('chat_db', '');
    faults[fault] = true;
    await expect(replace('auto-1', 'first')).rejects.toThrow('killed in the middle');
    expect(databases.get('users_db')).toBe('Ada');
    expect(databases.get('chat_db')).toBe('');
    faults[fault] = false;
    await replace('auto-2', 'first');
    expect(Object.fromEntries(databases)).toEqual({
      users_db: 'Ada, Grace',
      chat_db: 'hello',
      other_db: 'kept',
    });
  },
);

test('a database that the bootstrap script does not create is refused before anything is changed', async () => {
  const { databases } = await start();
  const { postgres } = createPostgresFake(databases);
  const plan = planReplace(
    {
      ...{
        postgres,
        watch: noWatch,
        folder: '',
        namespace: '',
        kubectl: {} as Kubectl,
        databases: ['gone_db'],
      },
      snapshots: { take: async () => Promise.reject(new Error('nothing is asked')) },
      ...{ images: async () => ({}), bootstrap: async () => bootstrap },
    },
    { present: [], keptAs: 'auto-1', services: [], onSwap() {} },
  );
  await expect(run(plan)).rejects.toMatchObject({
    message: 'no service of this environment has a database gone_db',
    exitCode: 2,
  });
});

test('of the automatic snapshots the newest three stay', async () => {
  const { save, replace, folder } = await start();
  await save('mine');
  for (const at of [1, 2, 3, 4, 5]) {
    await replace(`auto-${at}`);
    // The next snapshot has a later time.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect((await listSnapshots(folder)).map(({ name }) => name)).toEqual([
    'auto-5',
    'auto-4',
    'auto-3',
    'mine',
  ]);
  expect((await readdir(folder)).toSorted()).toEqual(['auto-3', 'auto-4', 'auto-5', 'mine']);
});

/** Resets until there are three automatic snapshots; resolves to the name of the oldest. */
async function fillAutomatic({ replace }: Awaited<ReturnType<typeof start>>): Promise<string> {
  for (const at of [1, 2, 3]) {
    await replace(`auto-${at}`);
    // The next snapshot has a later time.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return 'auto-1';
}

test('the oldest automatic snapshot can be restored, and still exists after it', async () => {
  const platform = await start();
  const oldest = await fillAutomatic(platform);
  const { databases, replace, folder } = platform;
  await replace('auto-4', oldest);
  expect(databases.get('users_db')).toBe('Ada, Grace');
  const names = (await listSnapshots(folder)).map(({ name }) => name);
  expect(names).toEqual(['auto-4', 'auto-3', 'auto-2', 'auto-1']);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await replace('auto-5');
  expect((await readdir(folder)).toSorted()).toEqual(['auto-3', 'auto-4', 'auto-5']);
});

test('a plan that fails removes no snapshot', async () => {
  const platform = await start();
  const oldest = await fillAutomatic(platform);
  const { faults, replace, folder } = platform;
  faults.rename = true;
  await expect(replace('auto-4', oldest)).rejects.toThrow('killed in the middle');
  expect((await readdir(folder)).toSorted()).toEqual(['auto-1', 'auto-2', 'auto-3', 'auto-4']);
});

test("databases that end in _new or _old, or look like ours, are not wealist-local's", async () => {
  const { databases, save, replace, postgres } = await start();
  await save('first');
  databases.set('users_db_old', 'a copy made by hand');
  databases.set('users_db_new', 'another');
  databases.set('wealist_local_new_0123456789abcdef', 'a third');
  await replace('auto-1', 'first');
  await replace('auto-2');
  expect(databases.get('users_db_old')).toBe('a copy made by hand');
  expect(databases.get('users_db_new')).toBe('another');
  expect(databases.get('wealist_local_new_0123456789abcdef')).toBe('a third');
  const found = await postgres.listDatabases(new AbortController().signal);
  expect(found.filter(isLeftover)).toEqual([]);
});

test('a database that has the temporary name without the mark stops the plan before anything is changed', async () => {
  const { databases, comments, faults, save, replace } = await start();
  await save('first');
  faults.rename = true;
  await expect(replace('auto-1', 'first')).rejects.toThrow('killed in the middle');
  faults.rename = false;
  const [name = ''] = [...comments.keys()];
  comments.delete(name);
  const before = new Map(databases);
  await expect(replace('auto-2', 'first')).rejects.toMatchObject({
    message: `database ${name} already exists and is not marked as made by wealist-local`,
    hint: `npm run db -- postgres -- --command 'DROP DATABASE ${name}'`,
    exitCode: 9,
  });
  expect(databases).toEqual(before);
});

test('what a killed replacement left is marked, and dropped by the next one of any database', async () => {
  const { databases, comments, faults, save, replace, postgres } = await start();
  await save('first');
  faults.rename = true;
  await expect(replace('auto-1', 'first')).rejects.toThrow('killed in the middle');
  const signal = new AbortController().signal;
  const left = (await postgres.listDatabases(signal)).filter(isLeftover).map(({ name }) => name);
  expect(left).toHaveLength(2);
  for (const name of left) expect(Buffer.byteLength(name)).toBeLessThan(63);
  // The replaced database of a run that was killed before it was dropped.
  const old = left[0]?.replace('_new_', '_old_') ?? '';
  databases.set(old, 'replaced');
  comments.set(old, (comments.get(left[0] ?? '') ?? '').replace(' new ', ' old '));
  faults.rename = false;
  await replace('auto-2');
  expect([...databases.keys()].toSorted()).toEqual(['chat_db', 'other_db', 'users_db']);
});

test('a restore brings back the comment that was saved, a reset leaves the current one', async () => {
  const { comments, save, replace } = await start();
  comments.set('users_db', 'saved');
  await save('first');
  comments.set('users_db', 'current');
  await replace('auto-1');
  expect(Object.fromEntries(comments)).toEqual({ users_db: 'current' });
  await replace('auto-2', 'first');
  expect(Object.fromEntries(comments)).toEqual({ users_db: 'saved' });
});

test('Ctrl-C in the middle of the swap waits for it, and one before it changes nothing', async () => {
  const { databases, faults, save, replace, states, postgres } = await start();
  await save('first');
  databases.set('users_db', 'Ada');
  const early = new AbortController();
  faults.onRestore = () => early.abort(new Failure('interrupted'));
  await expect(replace('auto-1', 'first', early.signal)).rejects.toThrow('interrupted');
  expect(states).toEqual([]);
  expect(databases.get('users_db')).toBe('Ada');

  faults.onRestore = () => {};
  const late = new AbortController();
  faults.onRename = async (signal) => {
    late.abort(new Failure('interrupted'));
    signal.throwIfAborted();
  };
  await expect(replace('auto-2', 'first', late.signal)).rejects.toThrow('interrupted');
  expect(states).toEqual(['unknown', 'replaced']);
  expect(databases.get('users_db')).toBe('Ada, Grace');
  expect((await postgres.listDatabases(new AbortController().signal)).filter(isLeftover)).toEqual([]);
});

test.each([
  ['PostgreSQL reports an error', exitCodes.workload, ['unknown', 'unchanged']],
  ['the connection is lost', exitCodes.cluster, ['unknown']],
])('in a swap in which %s, what exists is known as far as it can be', async (message, exitCode, states) => {
  const platform = await start();
  platform.faults.onRename = async () => {
    throw new Failure(message, { exitCode });
  };
  await expect(platform.replace('auto-1')).rejects.toThrow(message);
  expect(platform.states).toEqual(states);
});

test('a node that is paused in the middle of the swap ends it', async () => {
  const paused = new Failure('node wealist-control-plane is paused');
  const watch = createWatch(
    () => async () => {
      if (isSwapping) throw paused;
    },
    5,
  );
  let isSwapping = false;
  const { faults, replace } = await start({ watch });
  faults.onRename = async (signal) => {
    isSwapping = true;
    await sleep(60_000, undefined, { signal });
  };
  await expect(replace('auto-1')).rejects.toBe(paused);
});
