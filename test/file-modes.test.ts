import { copyFile, lstat, mkdir, readdir, realpath } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { exec } from '../src/tools/exec.ts';
import { findHelm } from './helm/helm.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

const bin = resolve(import.meta.dirname, '../src/bin.js');

/** Runs a command with a home of its own under this umask. */
async function runWithUmask(home: string, umask: string, ...words: string[]) {
  const env = {
    HOME: home,
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_DATA_HOME: join(home, 'data'),
    WEALIST_STATE_DIR: join(home, 'state'),
    DOCKER_HOST: `unix://${join(home, 'no.sock')}`,
  };
  const script = 'umask "$1"; shift; exec "$@"';
  return exec('sh', ['-c', script, 'sh', umask, process.execPath, bin, ...words], { env });
}

/** Puts the helm of the tests into the cache, which would otherwise be built; one on PATH is found there. */
async function cacheHelm(home: string): Promise<void> {
  const helm = await realpath(findHelm()).catch(() => undefined);
  if (helm === undefined) return;
  const files = join(home, 'cache/wealist-local/files');
  await mkdir(files, { recursive: true });
  await copyFile(helm, join(files, basename(helm)));
}

/** The modes of all files and folders below a folder, by path. */
async function listModes(folder: string): Promise<ReadonlyMap<string, number>> {
  const names = await readdir(folder, { recursive: true });
  const found = await Promise.all(
    names.map(async (name) => [name, await lstat(join(folder, name))] as const),
  );
  const own = found.filter(([, stats]) => !stats.isSymbolicLink());
  return new Map(own.map(([name, { mode }]) => [name, mode & 0o777]));
}

test.each(['000', '022', '077'])(
  'under umask %s no other user can write to what is written',
  async (umask) => {
    const home = await makeTemporaryFolder();
    await cacheHelm(home);
    await runWithUmask(home, umask, 'plan', '--env', 'prod', '--out', join(home, 'out'));
    await runWithUmask(
      home,
      umask,
      'plan',
      '--env',
      'prod',
      '--out',
      join(home, 'with-secrets'),
      '--secrets',
    );
    const modes = await listModes(home);
    expect(modes.size).toBeGreaterThan(15);
    const writable = [...modes].filter(([, mode]) => (mode & 0o022) !== 0);
    expect(writable).toEqual([]);
    const secret = [...modes].filter(([name]) => /^(with-secrets|state)\/.*\.yaml$/.test(name));
    expect(secret.length).toBeGreaterThan(5);
    expect(secret.filter(([, mode]) => (mode & 0o077) !== 0)).toEqual([]);
  },
);
