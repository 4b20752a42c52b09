import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CommandFailure } from '../../src/lib/failure.ts';
import { exec } from '../../src/tools/exec.ts';
import { startNodeEngine } from '../fakes/node-engine.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const bin = resolve(import.meta.dirname, '../../src/bin.js');
const ours = '0123456789abcdef';

/** A checkout with the running cluster `wealist`, whose node mounts the owner folder `owner` of `data`. */
async function makeCheckout({ owner = ours, mounted = 'data', id = ours as string | undefined } = {}) {
  const folder = await makeTemporaryFolder();
  const state = join(folder, 'state');
  const toData = (name: string) => join(folder, name, 'wealist-local/wealist');
  const ownerFolder = join(toData(mounted), 'owners', owner);
  await Promise.all([mkdir(state), mkdir(ownerFolder, { recursive: true })]);
  if (id !== undefined) await writeFile(join(state, 'id'), `${id}\n`);
  const record = { version: 1, name: 'wealist', httpPort: 8090, httpsPort: 8091, controller: 'traefik' };
  await writeFile(join(state, 'cluster.json'), JSON.stringify(record));
  await writeFile(join(state, 'kubeconfig'), '{}');
  const socket = await startNodeEngine([{ owner: ownerFolder }]);

  async function run(...words: string[]) {
    const env = {
      PATH: join(folder, 'bin'),
      HOME: folder,
      XDG_DATA_HOME: join(folder, 'data'),
      XDG_CACHE_HOME: join(folder, 'cache'),
      WEALIST_STATE_DIR: state,
      DOCKER_HOST: `unix://${socket}`,
      npm_config_registry: 'http://127.0.0.1:1/',
    };
    return exec(process.execPath, [bin, ...words], { env }).then(
      ({ stdout, stderr }) => ({ status: 0 as number | undefined, stdout, stderr }),
      (error: unknown) => {
        if (error instanceof CommandFailure) return error;
        throw error;
      },
    );
  }
  return { folder, state, toData, ownerFolder, run };
}

describe('a cluster whose data is in another folder', () => {
  test.each([
    ['npm run up', 'up', '--yes'],
    ['npm run up', 'up', '--dry-run'],
    ['npm run down -- --delete-data', 'down', '--delete-data', '--yes'],
    ['npm run db', 'db', 'save', 'before'],
    ['npm run db', 'db', 'restore', 'before', '--yes'],
    ['npm run db', 'db', 'reset', '--yes'],
  ])('%s is refused before anything is written: %s %s', async (again, ...words) => {
    const { folder, toData, run } = await makeCheckout({ mounted: 'other' });
    const { status, stderr } = await run(...words);
    expect({ status, stderr }).toMatchObject({
      status: 9,
      stderr: expect.stringContaining(
        `✗ cluster wealist has its data in ${toData('other')}, and the data folder of this run is ${toData('data')}\n`,
      ),
    });
    expect(stderr).toContain(`  XDG_DATA_HOME=${join(folder, 'other')} ${again}, or npm run down, which`);
    expect(await readdir(folder)).not.toContain('data');
    expect(await readdir(toData('other'))).toEqual(['owners']);
  });
});
