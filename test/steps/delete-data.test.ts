import {
  access,
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeData, requireOwnData } from '../../src/commands/down/data-folder.ts';
import { Failure } from '../../src/lib/failure.ts';
import { deleteData, requireNoLinks } from '../../src/steps/delete-data.ts';
import { exec } from '../../src/tools/exec.ts';
import { createVolumeFolders, type RunInContainer } from '../../src/tools/volume-folders.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const { signal } = new AbortController();
const run = { signal, report: () => {} };
const isRoot = process.getuid?.() === 0;
const store = 'wealist-kind-local/data-postgres-0';

/** A cluster's data. That of the database belongs to another user, or at least this one may not read it. */
async function makeData() {
  const data = join(await makeTemporaryFolder(), 'wealist');
  const claim = join(data, 'volumes', store);
  for (const folder of [`${claim}/pgdata`, join(data, 'owners/mine'), join(data, 'snapshots/one')]) {
    await mkdir(folder, { recursive: true });
  }
  await writeFile(join(claim, 'pgdata/base'), 'x'.repeat(200_000));
  for (const file of ['secrets.yaml', 'kubelet.conf', 'snapshots/one/dump']) {
    await writeFile(join(data, file), 'content');
  }
  await chmod(join(claim, 'pgdata'), isRoot ? 0o700 : 0);
  if (isRoot) {
    const folders = [
      dirname(data),
      data,
      ...['volumes', 'volumes/wealist-kind-local'].map((name) => join(data, name)),
    ];
    for (const folder of [
      ...folders,
      claim,
      join(data, 'owners'),
      join(data, 'snapshots/one'),
      join(data, 'snapshots'),
    ]) {
      await chown(folder, 65534, 65534);
    }
    await chown(join(claim, 'pgdata'), 999, 999);
  }
  onTestFinished(() => chmod(join(claim, 'pgdata'), 0o700).catch(() => {}));
  return data;
}

/** Runs `work` as a user who is not root. */
async function asUser<T>(work: () => Promise<T>): Promise<T> {
  if (!isRoot) return work();
  process.seteuid?.(65534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

/** A container in which root runs the command: of this machine, on the folder itself. */
function createContainer(data: string) {
  const calls: string[] = [];
  const runInContainer: RunInContainer = async (folder, argv) => {
    expect(folder).toBe(data);
    calls.push(argv.join(' '));
    if (isRoot) process.seteuid?.(0);
    try {
      await chmod(join(data, 'volumes', store, 'pgdata'), 0o700);
      const own = argv.map((argument) => argument.replaceAll('/data/', `${data}/`));
      return (await exec(own[0] ?? '', own.slice(1))).stdout;
    } finally {
      if (isRoot) process.seteuid?.(65534);
    }
  };
  return { calls, run: runInContainer };
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

test('volumes of other users are measured and erased with the rights that made them', async () => {
  const data = await makeData();
  const container = createContainer(data);
  const volumes = createVolumeFolders(data, { exec, run: container.run });
  const lines = await asUser(() => describeData(data, volumes, signal));
  expect(lines[0]).toMatch(/^wealist-kind-local\/data-postgres-0: 2\d\d(\.\d)? kB$/);
  if (!isRoot) await chmod(join(data, 'volumes', store, 'pgdata'), 0);

  const step = deleteData(data, volumes);
  await asUser(() => step.apply(run));
  expect(container.calls).toContain('rm -rf -- /data/volumes');
  expect(await step.isDone?.(run)).toBe('no data exists');
});

test('a size that cannot be known does not prevent the question', async () => {
  const data = await makeData();
  const refuse = async () => {
    throw new Failure('the container engine has no node image');
  };
  const volumes = createVolumeFolders(data, { exec, run: refuse });
  const lines = await asUser(() => describeData(data, volumes, signal));
  expect(lines[0]).toBe(`${store}: size unknown`);
});

test('databases that cannot be erased keep the secrets and snapshots', async () => {
  const data = await makeData();
  const refuse = async () => {
    throw new Failure('the container engine has no node image');
  };
  const step = deleteData(data, createVolumeFolders(data, { exec, run: refuse }));
  await expect(asUser(() => step.apply(run))).rejects.toMatchObject({
    message: `the volumes in ${join(data, 'volumes')} belong to other users and are not deleted`,
    hint: `sudo rm -rf '${join(data, 'volumes')}', then npm run down -- --delete-data`,
    exitCode: 3,
  });
  expect(await readFile(join(data, 'secrets.yaml'), 'utf8')).toBe('content');
  expect(await readdir(join(data, 'snapshots'))).toEqual(['one']);
  expect(await readdir(join(data, 'owners'))).toEqual(['mine']);
});

test.each(['', 'volumes', 'volumes/wealist-kind-local', `volumes/${store}`, 'snapshots', 'secrets.yaml'])(
  'a symbolic link at "%s" is refused, and nothing is deleted',
  async (place) => {
    const data = await makeData();
    const path = join(data, place);
    const target = join(await makeTemporaryFolder(), 'elsewhere');
    // Only root can remove what may not be read.
    await chmod(join(data, 'volumes', store, 'pgdata'), 0o700);
    await rm(path, { recursive: true });
    await mkdir(target);
    await writeFile(join(target, 'row'), 'content');
    await symlink(target, path);
    const step = deleteData(data, createVolumeFolders(data, { exec, run: undefined }));
    expect(await step.isDone?.(run)).toBe(false);
    const refusal = {
      message: `${path} is a symbolic link to ${target}: its data are not deleted`,
      hint: `rm '${path}' && mv '${target}' '${path}', then npm run down -- --delete-data`,
      exitCode: 9,
    };
    await expect(step.apply(run)).rejects.toMatchObject(refusal);
    await expect(requireNoLinks(data)).rejects.toMatchObject(refusal);
    expect(await readdir(target)).toEqual(['row']);
    if (place !== '') expect(await exists(join(data, 'kubelet.conf'))).toBe(true);
  },
);

test('the data of a name belong to the checkout that created its last cluster', async () => {
  const data = await makeData();
  await mkdir(join(data, 'owners/theirs'));
  for (const [owner, time] of [
    ['mine', 1_000],
    ['theirs', 2_000],
  ] as const) {
    await writeFile(join(data, 'owners', owner, 'created'), '');
    await utimes(join(data, 'owners', owner, 'created'), time, time);
    await utimes(join(data, 'owners', owner), time, time);
  }
  await requireOwnData(data, 'theirs');
  await expect(requireOwnData(data, 'mine')).rejects.toMatchObject({
    message: `the data in ${data} belongs to another checkout`,
    exitCode: 9,
  });
});
