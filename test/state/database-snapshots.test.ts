import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  createSnapshot,
  getSnapshot,
  hashFile,
  listSnapshots,
  makePrivateFile,
  parseSnapshotName,
} from '../../src/state/database-snapshots.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const content = { created: '2026-11-26T12:00:00.000Z', postgres: 170_006, images: {} };

/** A snapshot with one database. */
async function save(folder: string, name = 'first') {
  return createSnapshot(folder, name, async (draft) => {
    const path = join(draft, 'users.dump');
    await makePrivateFile(path);
    await writeFile(path, 'rows and rows');
    const saved = { name: 'users', file: 'users.dump', bytes: 13, sha256: await hashFile(path) };
    return { ...content, name, databases: [saved] };
  });
}

async function makeFolder(): Promise<string> {
  return join(await makeTemporaryFolder(), 'snapshots');
}

test('can be read as it was saved, by its owner only', async () => {
  const folder = await makeFolder();
  const saved = await save(folder);
  expect(await getSnapshot(folder, 'first')).toEqual(saved);
  expect(await listSnapshots(folder)).toEqual([saved]);
  const modes = await Promise.all(
    ['', 'users.dump', 'snapshot.json'].map(
      async (name) => (await stat(join(saved.folder, name))).mode & 0o777,
    ),
  );
  expect(modes).toEqual([0o700, 0o600, 0o600]);
});

test('a flipped byte, a missing file, a truncated or empty manifest: refused', async () => {
  const folder = await makeFolder();
  const { folder: own } = await save(folder);
  const file = join(own, 'users.dump');
  const manifest = join(own, 'snapshot.json');
  const refused = (what: string, cause?: unknown) =>
    expect(getSnapshot(folder, 'first')).rejects.toMatchObject({
      ...{ message: `snapshot first is damaged: ${what}`, exitCode: 2 },
      ...(cause === undefined ? {} : { cause }),
    });

  const bytes = await readFile(file);
  bytes[5] = (bytes[5] ?? 0) ^ 1;
  await writeFile(file, bytes);
  await refused('users.dump', 'its checksum does not match the saved one');
  await rm(file);
  await refused('users.dump', 'ENOENT');
  const text = await readFile(manifest, 'utf8');
  await writeFile(manifest, text.slice(0, 40));
  await refused('snapshot.json', 'it is truncated or was changed');
  await writeFile(manifest, text.replace('users.dump', '../../secrets.yaml'));
  await refused('snapshot.json', 'its content is not valid');
});

test('an interrupted one is not a snapshot, and leaves nothing', async () => {
  const folder = await makeFolder();
  const broken = createSnapshot(folder, 'first', async (draft) => {
    await writeFile(join(draft, 'users.dump'), 'half');
    throw new Error('interrupted');
  });
  await expect(broken).rejects.toThrow('interrupted');
  expect(await readdir(folder)).toEqual([]);
  // As kill -9 leaves it.
  await mkdir(join(folder, '.second.1.abc'));
  expect(await listSnapshots(folder)).toEqual([]);
  await expect(getSnapshot(folder, '.second.1.abc')).rejects.toMatchObject({ exitCode: 2 });
});

test('an existing name is not overwritten', async () => {
  const folder = await makeFolder();
  await save(folder);
  await expect(save(folder)).rejects.toMatchObject({
    message: 'snapshot first already exists',
    exitCode: 2,
  });
});

test('an unknown name: the known ones', async () => {
  const folder = await makeFolder();
  await expect(getSnapshot(folder, 'first')).rejects.toMatchObject({ hint: 'npm run db save first' });
  await save(folder);
  await expect(getSnapshot(folder, 'frist')).rejects.toMatchObject({ hint: 'snapshots: first' });
});

test.each(['', '.', '..', 'a/b', '-x', 'A', 'auto-1', '.hidden', 'x'.repeat(64), 'a b', '$(id)'])(
  '%j is no name',
  (name) => {
    expect(parseSnapshotName(name)).toBeUndefined();
  },
);

test.each(['a', 'before-migration', '2026.11.26_x'])('%j is one', (name) => {
  expect(parseSnapshotName(name)).toBe(name);
});
