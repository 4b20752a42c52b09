import { chown, mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Failure } from '../../src/lib/failure.ts';
import type { CheckContext, CheckResult, Demand } from '../../src/machine/checks/check.ts';
import { toBuildSpace, toCheck } from '../../src/machine/checks/disk.ts';
import { checkDockerFolder } from '../../src/machine/checks/programs.ts';
import { requirePassed, runChecks } from '../../src/machine/checks.ts';
import type { Engine } from '../../src/machine/engine.ts';
import { debian, type FakeHost, type FakeHostOptions, makeHost } from '../fakes/host.ts';

const engine: Engine = {
  socket: '/var/run/docker.sock',
  source: 'default socket',
  version: '20.10.24+dfsg1',
  apiVersion: '1.41',
  rootless: false,
  cgroupVersion: 1,
  missingControllers: [],
  storageDriver: 'overlay2',
  dockerRoot: '/var/lib/docker',
  imageStore: 'classic',
  inVirtualMachine: false,
  arch: 'amd64',
  cpus: 2,
  memory: 8e9,
  mtu: undefined,
  clockSkew: 10,
  kernel: '6.1.0-40-amd64',
  daemonId: 'x',
};
const goOf = (version: string) => `[ "$1 $2" = "env GOVERSION" ] && echo ${version}`;
const nothing = { programs: 0, roots: 0 };
const everything = { programs: 10, roots: 7 };
const builtinClient = '[ "$1" = --version ] && echo "Docker version 20.10.24, build x"';

interface CheckOptions extends FakeHostOptions {
  readonly engine?: Partial<Engine> | undefined;
  readonly demand?: Partial<Demand>;
}

/** The checks on a fitting Debian with what `options` change about it. */
async function check({
  engine: changes = {},
  demand,
  ...options
}: CheckOptions = {}): Promise<readonly CheckResult[]> {
  const fake = await makeHost({
    ...options,
    files: {
      ...debian,
      'proc/sys/fs/inotify/max_user_instances': '8192',
      'proc/sys/fs/inotify/max_user_watches': '600000',
      'proc/meminfo': 'MemTotal: 9000000 kB\nMemAvailable: 7000000 kB\n',
      ...options.files,
    },
    programs: { docker: builtinClient, go: goOf('go1.26.8'), 'apt-get': '', ...options.programs },
  });
  return runChecks({
    ...toContext(fake),
    engine: { ...engine, dockerRoot: fake.root, ...changes },
    demand: { kubernetes: '1.34.4', partsToBuild: nothing, ...demand },
  });
}

function toContext({ host, exec, root }: FakeHost): CheckContext {
  return {
    host,
    engine: undefined,
    docker: undefined,
    exec,
    paths: { checkout: root, state: root, cache: root, data: root },
    demand: { kubernetes: '1.34.4', partsToBuild: nothing },
    signal: new AbortController().signal,
  };
}

const statesOf = (checks: readonly CheckResult[]) =>
  Object.fromEntries(checks.filter(({ id }) => id !== 'disk').map(({ id, state }) => [id, state]));
const find = (checks: readonly CheckResult[], id: string, state: string) =>
  checks.find((each) => each.id === id && each.state === state);

test('a fitting machine', async () => {
  const checks = await check({ demand: { partsToBuild: everything } });
  expect(statesOf(checks)).toEqual({
    engine: 'ok',
    cgroup: 'ok',
    kernel: 'ok',
    clock: 'ok',
    inotify: 'ok',
    memory: 'ok',
    cpu: 'ok',
    'data-folder': 'ok',
    'docker-client': 'ok',
    apt: 'ok',
    go: 'ok',
  });
  expect(checks.every(({ state, fix }) => (state === 'ok') === (fix === undefined))).toBe(true);
});

test.each<[string, string, CheckOptions]>([
  ['cgroup', 'fail', { demand: { kubernetes: '1.35.0' } }],
  ['rootless', 'fail', { engine: { rootless: true } }],
  ['engine', 'fail', { engine: { version: '19.03.15' } }],
  ['engine', 'fail', { files: { 'etc/docker/daemon.json': '{"init": true}' } }],
  ['engine', 'warn', { engine: { storageDriver: 'vfs' } }],
  ['kernel', 'warn', { engine: { kernel: '4.15.0-213-generic' } }],
  ['clock', 'warn', { engine: { clockSkew: -45_000 } }],
  ['inotify', 'warn', { files: { 'proc/sys/fs/inotify/max_user_instances': '64' } }],
  ['mtu', 'warn', { files: { 'proc/net/route': 'eth0\t00000000\n', 'sys/class/net/eth0/mtu': '1400' } }],
  ['memory', 'fail', { engine: { memory: 2e9 }, demand: { requests: { cpus: 1, memory: 1.5e9 } } }],
  ['memory', 'warn', { files: { 'proc/meminfo': 'MemAvailable: 500000 kB\n' } }],
  ['cpu', 'fail', { engine: { cpus: 1 }, demand: { requests: { cpus: 0.5, memory: 1 } } }],
  ['go', 'fail', { programs: { go: goOf('go1.23.9') }, demand: { partsToBuild: everything } }],
  ['go', 'fail', { programs: { go: 'exit 1' }, demand: { partsToBuild: everything } }],
  ['apt', 'fail', { files: { 'etc/os-release': 'ID=fedora\n' }, demand: { partsToBuild: everything } }],
  ['docker-client', 'warn', { programs: { docker: '[ "$1" = --version ] && echo "Docker version 28.2.2"' } }],
])('%s: %s', async (id, state, options) => {
  const found = find(await check(options), id, state);
  expect(found).toBeDefined();
  expect(found?.fix).toBeTruthy();
});

test.each([
  ['all parts are cached', nothing, { apt: undefined, go: undefined }],
  ['only a Debian root is missing', { programs: 0, roots: 1 }, { apt: 'fail', go: undefined }],
  ['only a Go program is missing', { programs: 1, roots: 0 }, { apt: undefined, go: 'fail' }],
])('%s: Go and apt are asked for as far as they are needed', async (_, partsToBuild, expected) => {
  const checks = await check({
    demand: { partsToBuild },
    programs: { go: 'exit 1' },
    files: { 'etc/os-release': 'ID=fedora\n' },
  });
  const { apt, go } = statesOf(checks);
  expect({ apt, go }).toEqual(expected);
});

test("a virtual machine's engine: its memory counts, this machine's limits do not", async () => {
  const checks = await check({
    engine: { inVirtualMachine: true, memory: 1e9 },
    demand: { requests: { cpus: 0.1, memory: 1e9 } },
    files: { 'proc/sys/fs/inotify/max_user_instances': '1' },
  });
  expect(statesOf(checks)).not.toHaveProperty('inotify');
  expect(find(checks, 'memory', 'fail')?.fix).toContain('virtual machine');
});

test('a taken port is named with who has it and what up would do', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as { port: number };
  const checks = await check({ demand: { ports: { http: port, https: port + 1 } } });
  const found = find(checks, 'ports', 'warn');
  expect(found?.detail).toContain(`${port} is taken by`);
  expect(found?.detail).toMatch(/up would use \d+ and \d+/);
});

test('a rootless engine: all that is missing is in one message', async () => {
  const kernel = '6.1.0-40-amd64';
  const rootless = { rootless: true, kernel, missingControllers: ['cpu', 'cpuset'] };
  const modules = {
    'proc/modules': 'overlay 151552 0 - Live 0x0\n',
    [`lib/modules/${kernel}/modules.builtin`]: 'kernel/fs/ext4/ext4.ko\n',
  };
  const checks = await check({ engine: rootless, files: modules });
  const failure = (() => {
    try {
      return requirePassed(checks);
    } catch (error) {
      return error as Failure;
    }
  })();
  expect(failure).toMatchObject({ exitCode: 3 });
  const cause = String(failure?.cause);
  expect(cause).toContain('cgroup v2');
  expect(cause).toContain('the cgroup controllers cpu, cpuset are not delegated to it');
  expect(cause).toContain('Delegate=cpu cpuset io memory pids');
  expect(cause).toContain('sudo modprobe --all ip_tables');
});

test('a rootless engine that has all of it', async () => {
  const kernel = '6.1.0-40-amd64';
  const rootless = { rootless: true, kernel, cgroupVersion: 2 as const };
  const modules = {
    'proc/modules': 'nf_tables 278528 2 - Live 0x0\n',
    [`lib/modules/${kernel}/modules.builtin`]: '',
  };
  expect(find(await check({ engine: rootless, files: modules }), 'rootless', 'ok')).toBeDefined();
});

test('a rootless engine may not have the low ports', async () => {
  const checks = await check({
    engine: { rootless: true, cgroupVersion: 2 },
    demand: { ports: { http: 80, https: 443 } },
    files: { 'proc/sys/net/ipv4/ip_unprivileged_port_start': '1024\n' },
  });
  expect(find(checks, 'ports', 'warn')?.detail).toContain('80 is below 1024');
});

test("docker's folder that is root's", async () => {
  const fake = await makeHost({ user: 'ada', uid: 1000 });
  const { host, root } = fake;
  const check = (folder: string) =>
    checkDockerFolder({ ...toContext(fake), host: { ...host, env: { DOCKER_CONFIG: folder } } });
  // Root's on every machine, whoever runs this test.
  expect(await check('/etc')).toMatchObject([{ state: 'warn', fix: 'sudo chown -R ada /etc' }]);

  const own = join(root, 'docker');
  await mkdir(own);
  if (process.getuid?.() === 0) await chown(own, 1000, 1000);
  expect(await check(own)).toEqual([]);
  expect(await check(join(root, 'missing'))).toEqual([]);
});

const GB = 1e9;
test.each([
  [100 * GB, 500 * GB, 0, 'ok'],
  // Large disks: a small share is still room.
  [60 * GB, 2_000 * GB, 0, 'ok'],
  [30 * GB, 300 * GB, 0, 'warn'],
  [4 * GB, 100 * GB, 0, 'fail'],
  [14 * GB, 50 * GB, 15 * GB, 'fail'],
  [14 * GB, 50 * GB, 0, 'ok'],
  [16 * GB, 50 * GB, 15 * GB, 'ok'],
  // A /tmp in memory, which holds nothing large.
  [2 * GB, 2 * GB, 0, 'ok'],
])('disk: %d free of %d, building takes %d: %s', (free, size, builds, state) => {
  expect(toCheck({ free, size, path: '/', holds: ['images'], builds })).toMatchObject({ state });
});

test.each([
  ['nothing, where all parts are cached', nothing, { cache: 0, unpacked: 0 }],
  [
    'only where roots are unpacked and cached',
    { programs: 0, roots: 2 },
    { cache: 1 * GB, unpacked: 1 * GB },
  ],
  ['only in the cache', { programs: 1, roots: 0 }, { cache: 6 * GB, unpacked: 0 }],
  ['everything', everything, { cache: 17.5 * GB, unpacked: 3.5 * GB }],
])('the space for builds: %s', (_, partsToBuild, expected) => {
  expect(toBuildSpace(partsToBuild)).toEqual(expected);
});

test('a disk of temporary files alone has its own fix', () => {
  const disk = { free: 1 * GB, size: 2 * GB, path: '/tmp', builds: 3 * GB };
  expect(toCheck({ ...disk, holds: ['temporary files', 'Debian packages being unpacked'] })).toMatchObject({
    detail: '1.0 GB of 2.0 GB free at /tmp: building images needs 3.0 GB',
    fix: 'set TMPDIR to a folder on a larger disk',
  });
});

test('all failed checks are reported at once, exit code 3', () => {
  const checks: readonly CheckResult[] = [
    { id: 'a', title: 'A', state: 'ok', detail: 'fine' },
    { id: 'b', title: 'B', state: 'warn', detail: 'so so', fix: 'mend b' },
  ];
  expect(() => requirePassed(checks)).not.toThrow();
  const failed = [
    ...checks,
    { id: 'c', title: 'C', state: 'fail', detail: 'broken', fix: 'mend c' },
    { id: 'd', title: 'D', state: 'fail', detail: 'gone', fix: 'mend d' },
  ] as const;
  expect(() => requirePassed(failed)).toThrow(
    expect.objectContaining({
      exitCode: 3,
      cause: 'C: broken\n  mend c\nD: gone\n  mend d',
      hint: 'npm run doctor',
    }),
  );
  expect(() => requirePassed(failed.slice(0, 3))).toThrow(expect.objectContaining({ hint: 'mend c' }));
});
