import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Plan } from '../../src/plan/plan.ts';
import { planReplace, planSave } from '../../src/plans/databases.ts';
import { getSnapshot, listSnapshots } from '../../src/state/database-snapshots.ts';
import type { Kubectl } from '../../src/tools/kubernetes/kubectl.ts';
import { createPostgresFake } from '../fakes/postgres.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const bootstrap = `SELECT 'users_db'; CREATE DATABASE "users_db"; \\connect "users_db"
CREATE DATABASE "chat_db"; CREATE DATABASE "other_db";`;

async function start() {
  const databases = new Map([
    ['users_db', 'Ada, Grace'],
    ['chat_db', 'hello'],
    ['other_db', 'kept'],
  ]);
  const { postgres, faults } = createPostgresFake(databases);
  const folder = join(await makeTemporaryFolder(), 'snapshots');
  const parts = {
    ...{ postgres, folder, namespace: 'wealist-kind-local', kubectl: {} as Kubectl },
    snapshots: { take: async () => Promise.reject(new Error('nothing is asked')) },
    images: async () => ({ 'user-service': 'sha256:1' }),
    bootstrap: async () => bootstrap,
  };
  const names = ['users_db', 'chat_db'];
  const replace = async (keptAs: string, name?: string) => {
    const snapshot = name === undefined ? undefined : await getSnapshot(folder, name);
    return run(
      planReplace({ ...parts, databases: names }, { snapshot, present: names, keptAs, services: [] }),
    );
  };
  return {
    databases,
    faults,
    folder,
    save: (name: string) => run(planSave({ ...parts, name, databases: names })),
    replace,
  };
}

async function run(plan: Plan): Promise<void> {
  const signal = new AbortController().signal;
  for (const { steps } of plan) {
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
      ...{ postgres, folder: '', namespace: '', kubectl: {} as Kubectl, databases: ['gone_db'] },
      snapshots: { take: async () => Promise.reject(new Error('nothing is asked')) },
      ...{ images: async () => ({}), bootstrap: async () => bootstrap },
    },
    { present: [], keptAs: 'auto-1', services: [] },
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
