import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { wrapperSource } from '../../src/machine/changes/engine-settings.ts';
import { exec } from '../../src/tools/exec.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const everything = ['CAP_SYS_ADMIN', 'CAP_SYS_RESOURCE', 'CAP_SYS_TIME'];
/** The shape of what containerd hands to runc; the lists as Docker fills them for --privileged. */
const capabilities = {
  bounding: everything,
  effective: ['CAP_SYS_RESOURCE'],
  inheritable: ['CAP_SYS_RESOURCE', 'CAP_SYS_TIME'],
  permitted: ['CAP_SYS_TIME', 'CAP_SYS_RESOURCE'],
  ambient: [],
};
const without = {
  bounding: ['CAP_SYS_ADMIN', 'CAP_SYS_TIME'],
  effective: [],
  inheritable: ['CAP_SYS_TIME'],
  permitted: ['CAP_SYS_TIME'],
  ambient: [],
};
const toProcess = (lists: object) => ({
  user: { uid: 0, gid: 0 },
  args: ['setpriv', '--bounding-set', 'CAP_SYS_RESOURCE', '"capabilities":{"x":["CAP_SYS_RESOURCE"]}'],
  env: ['TEXT=line one\nline two\ttab \\ backslash', 'CAPS="CAP_SYS_RESOURCE",'],
  cwd: '/',
  capabilities: lists,
  rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
});
const toConfig = (lists: object) => ({
  ociVersion: '1.0.2-dev',
  process: toProcess(lists),
  root: { path: 'rootfs' },
  hostname: 'CAP_SYS_RESOURCE',
  annotations: { note: '50 % of {curly} [square] "CAP_SYS_RESOURCE"' },
});

/** A fake runc first on PATH that prints its arguments, one per line, and what it sees in the bundle. */
async function makeBundle() {
  const folder = await makeTemporaryFolder();
  const bundle = join(folder, 'a bundle');
  await mkdir(join(folder, 'bin'), { recursive: true });
  await mkdir(bundle, { recursive: true });
  await writeFile(
    join(folder, 'bin/runc'),
    '#!/bin/sh\nfor argument in "$@"; do printf "<%s>\\n" "$argument"; done\n',
  );
  await chmod(join(folder, 'bin/runc'), 0o755);
  const run = async (args: readonly string[], cwd = folder) => {
    const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
    const { stdout } = await exec('sh', [wrapperSource, ...args], { env, cwd });
    return stdout.split('\n').map((line) => line.slice(1, -1));
  };
  return { folder, bundle, config: join(bundle, 'config.json'), run };
}

const readJson = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

test.each([
  ['as containerd writes it', 0],
  ['indented', 2],
])('a privileged container, its configuration %s', async (_, indent) => {
  const { bundle, config, run } = await makeBundle();
  await writeFile(config, JSON.stringify(toConfig(capabilities), undefined, indent), { mode: 0o600 });
  const args = ['--root', '/run/exec', '--log', 'run', '--log-format', 'json', 'create', '--bundle', bundle];
  expect(await run([...args, '--pid-file', 'p', 'id'])).toEqual([...args, '--pid-file', 'p', 'id']);
  expect(await readJson(config)).toEqual(toConfig(without));
  expect((await stat(config)).mode & 0o777).toBe(0o600);
});

test('the other ways to name a bundle', async () => {
  const { bundle, config, run } = await makeBundle();
  for (const args of [
    ['run', `--bundle=${bundle}`, 'id'],
    ['create', '-b', bundle, 'id'],
    ['restore', '--bundle', bundle, 'id'],
  ]) {
    await writeFile(config, JSON.stringify(toConfig(capabilities)));
    await run(args);
    expect(await readJson(config)).toEqual(toConfig(without));
  }
  await writeFile(config, JSON.stringify(toConfig(capabilities)));
  await run(['run', 'id'], bundle);
  expect(await readJson(config)).toEqual(toConfig(without));
});

test('a program that is run in a privileged container later', async () => {
  const { folder, config, run } = await makeBundle();
  const file = join(folder, 'runc-process123');
  await writeFile(file, JSON.stringify(toProcess(capabilities)));
  await writeFile(config, JSON.stringify(toConfig(capabilities)));
  await run(['--root', '/r', 'exec', '--process', file, '--detach', 'create']);
  expect(await readJson(file)).toEqual(toProcess(without));
  expect(await readJson(config)).toEqual(toConfig(capabilities));
});

test('a container that asks for less keeps what it asks for', async () => {
  const { bundle, config, run } = await makeBundle();
  const lists = { bounding: ['CAP_CHOWN', 'CAP_KILL'], effective: ['CAP_CHOWN'], permitted: [] };
  await writeFile(config, JSON.stringify(toConfig(lists)));
  await run(['create', '--bundle', bundle, 'id']);
  expect(await readJson(config)).toEqual(toConfig(lists));
});

test('other verbs change nothing', async () => {
  const { bundle, config, run } = await makeBundle();
  const text = JSON.stringify(toConfig(capabilities));
  await writeFile(config, text);
  expect(await run(['delete', '--force', 'create'], bundle)).toEqual(['delete', '--force', 'create']);
  await run(['--version'], bundle);
  await run(['exec', '--tty', 'id', 'sh', '-c', 'run  two  spaces'], bundle);
  expect(await readFile(config, 'utf8')).toBe(text);
});

test('the exit code is that of runc', async () => {
  const { folder } = await makeBundle();
  await writeFile(join(folder, 'bin/runc'), '#!/bin/sh\nexit 7\n');
  const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
  await expect(exec('sh', [wrapperSource, 'state', 'id'], { env })).rejects.toMatchObject({ status: 7 });
});
