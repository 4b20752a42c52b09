import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { CommandFailure } from '../../src/lib/failure.ts';
import { createRoot } from '../../src/machine/changes/root.ts';
import { readHost } from '../../src/machine/host.ts';
import { createSystemRecord } from '../../src/machine/system-record.ts';
import { exec } from '../../src/tools/exec.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const bin = resolve(import.meta.dirname, '../../src/bin.js');

/** Runs the command as a process, without tools, engine and network. */
async function doctor(args: readonly string[]) {
  const folder = await makeTemporaryFolder();
  const env = {
    PATH: join(folder, 'bin'),
    HOME: folder,
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    WEALIST_STATE_DIR: join(folder, 'state'),
    DOCKER_HOST: `unix://${join(folder, 'docker.sock')}`,
    npm_config_registry: 'http://127.0.0.1:1/',
  };
  return exec(process.execPath, [bin, 'doctor', ...args], { env }).then(
    ({ stdout, stderr }) => ({ status: 0 as number | undefined, stdout, stderr }),
    (error: unknown) => {
      if (error instanceof CommandFailure) return error;
      throw error;
    },
  );
}

test('without an engine: exit code 3, and all other checks are reported', async () => {
  const { status, stdout } = await doctor(['--json']);
  expect(status).toBe(3);
  const { checks, changes } = JSON.parse(stdout);
  const engine = checks.find(({ id }: { id: string }) => id === 'engine');
  expect(engine).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('(DOCKER_HOST) is not running'),
  });
  expect(checks.map(({ id }: { id: string }) => id)).toEqual(
    expect.arrayContaining(['disk', 'mirror', 'cluster']),
  );
  // An engine that does not respond may have the cluster.
  expect(checks.find(({ id }: { id: string }) => id === 'cluster')).toMatchObject({
    state: 'warn',
    detail: expect.stringMatching(/^unknown: .*is not running$/),
  });
  // Changes are recorded on the system, not in the folders of this user.
  expect(changes).toEqual(await createSystemRecord(createRoot(await readHost(), exec)).list());
});

test('changes to the system are listed as text', async () => {
  const [{ stdout }, record] = await Promise.all([
    doctor([]),
    createSystemRecord(createRoot(await readHost(), exec)).list(),
  ]);
  expect(stdout).toMatch(/✗ +container engine/);
  expect(stdout).toContain('fix ');
  for (const { at, title } of record) expect(stdout).toContain(`${at.slice(0, 10)}  ${title}`);
});

test('--fix does not replace an engine named by DOCKER_HOST', async () => {
  const { status, stderr } = await doctor(['--fix', '--yes']);
  expect(status).toBe(3);
  expect(stderr).toContain('(DOCKER_HOST) is not running');
});
