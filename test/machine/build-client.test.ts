import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findBuildClient } from '../../src/machine/build-client.ts';
import { makeHost } from '../fakes/host.ts';

const client = (version: string, buildx: boolean) =>
  `case "$1" in --version) echo "Docker version ${version}, build x" ;; buildx) exit ${buildx ? 0 : 1} ;; esac`;

async function install(root: string, folder: string, script: string): Promise<string> {
  await mkdir(join(root, folder), { recursive: true });
  const path = join(root, folder, 'docker');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

test("a newer client on PATH without buildx gives way to Debian's own", async () => {
  const { host, root, exec } = await makeHost({ programs: { docker: client('28.2.2', false) } });
  const own = await install(root, 'usr/bin', client('20.10.24+dfsg1', false));
  expect(await findBuildClient(host, exec, {})).toEqual({ program: own, buildKit: true });
});

test('an older client beside it is not used where the engine refuses its version', async () => {
  const { host, root, exec } = await makeHost({ programs: { docker: client('29.1.0', false) } });
  const refused = `[ "$1" = version ] && {
    echo 'Error response from daemon: client version 1.41 is too old. Minimum supported API version is 1.44' >&2
    exit 1
  }`;
  await install(root, 'usr/bin', `${refused}\n${client('20.10.24', false)}`);
  const expected = { program: join(root, 'bin/docker'), buildKit: false };
  expect(await findBuildClient(host, exec, {})).toEqual(expected);
});

test('with buildx the first on PATH builds', async () => {
  const { host, root, exec } = await makeHost({ programs: { docker: client('28.2.2', true) } });
  await install(root, 'usr/bin', client('20.10.24', false));
  expect(await findBuildClient(host, exec, {})).toEqual({
    program: join(root, 'bin/docker'),
    buildKit: true,
  });
});

test('without BuildKit anywhere the first builds as before', async () => {
  const { host, root, exec, calls } = await makeHost({ programs: { docker: client('27.0.1', false) } });
  await mkdir(join(root, 'usr/bin'), { recursive: true });
  await symlink(join(root, 'bin/docker'), join(root, 'usr/bin/docker'));
  expect(await findBuildClient(host, exec, {})).toEqual({
    program: join(root, 'bin/docker'),
    buildKit: false,
  });
  // The same client by another path is not asked again.
  expect(await calls()).toEqual(['docker --version', 'docker buildx version']);
});

test('a client that does not report its version is not used', async () => {
  const { host, root, exec } = await makeHost({ programs: { docker: 'exit 1' } });
  expect(await findBuildClient(host, exec, {})).toEqual({
    program: join(root, 'bin/docker'),
    buildKit: false,
  });
});

test('no client at all', async () => {
  const { host, exec } = await makeHost();
  expect(await findBuildClient(host, exec, {})).toBeUndefined();
});
