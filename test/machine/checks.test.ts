import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CheckContext, CheckResult, Demand } from '../../src/machine/checks/check.ts';
import { toCheck } from '../../src/machine/checks/disk.ts';
import { requirePassed, runChecks } from '../../src/machine/checks.ts';
import type { Engine } from '../../src/machine/engine.ts';
import { debian, type FakeHostOptions, makeHost } from '../fakes/host.ts';

const engine: Engine = {
  socket: '/var/run/docker.sock',
  source: 'default socket',
  version: '20.10.24+dfsg1',
  apiVersion: '1.41',
  rootless: false,
  cgroupVersion: 1,
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
  const context: CheckContext = {
    host: fake.host,
    engine: { ...engine, dockerRoot: fake.root, ...changes },
    docker: undefined,
    exec: fake.exec,
    paths: { checkout: fake.root, state: fake.root, cache: fake.root, data: fake.root },
    demand: { kubernetes: '1.34.4', buildsImages: false, ...demand },
    signal: new AbortController().signal,
  };
  return runChecks(context);
}

const statesOf = (checks: readonly CheckResult[]) =>
  Object.fromEntries(checks.filter(({ id }) => id !== 'disk').map(({ id, state }) => [id, state]));
const find = (checks: readonly CheckResult[], id: string, state: string) =>
  checks.find((each) => each.id === id && each.state === state);

test('a fitting machine', async () => {
  const checks = await check({ demand: { buildsImages: true } });
  expect(statesOf(checks)).toEqual({
    engine: 'ok',
    cgroup: 'ok',
    kernel: 'ok',
    clock: 'ok',
    inotify: 'ok',
    memory: 'ok',
    cpu: 'ok',
    'docker-client': 'ok',
    apt: 'ok',
    go: 'ok',
  });
  expect(checks.every(({ state, fix }) => (state === 'ok') === (fix === undefined))).toBe(true);
});

test.each<[string, string, CheckOptions]>([
  ['cgroup', 'fail', { demand: { kubernetes: '1.35.0' } }],
  ['engine', 'fail', { engine: { rootless: true } }],
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
  ['go', 'fail', { programs: { go: goOf('go1.23.9') }, demand: { buildsImages: true } }],
  ['go', 'fail', { programs: { go: 'exit 1' }, demand: { buildsImages: true } }],
  ['apt', 'fail', { files: { 'etc/os-release': 'ID=fedora\n' }, demand: { buildsImages: true } }],
  ['docker-client', 'warn', { programs: { docker: '[ "$1" = --version ] && echo "Docker version 28.2.2"' } }],
])('%s: %s', async (id, state, options) => {
  const found = find(await check(options), id, state);
  expect(found).toBeDefined();
  expect(found?.fix).toBeTruthy();
});

test('Go and apt are only asked for where images are built', async () => {
  const checks = await check({ programs: { go: 'exit 1' }, files: { 'etc/os-release': 'ID=fedora\n' } });
  expect(statesOf(checks)).not.toHaveProperty('go');
  expect(statesOf(checks)).not.toHaveProperty('apt');
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

test('a rootless engine may not have the low ports', async () => {
  const checks = await check({
    engine: { rootless: true, cgroupVersion: 2 },
    demand: { ports: { http: 80, https: 443 } },
    files: { 'proc/sys/net/ipv4/ip_unprivileged_port_start': '1024\n' },
  });
  expect(find(checks, 'ports', 'warn')?.detail).toContain('80 is below 1024');
});

test("docker's folder that is root's", async () => {
  const fake = await makeHost();
  await mkdir(join(fake.host.home, '.docker'), { recursive: true });
  await writeFile(join(fake.host.home, '.docker/config.json'), '{}');
  // Here it is the tester's own; only when that is root does it stand for the real thing.
  const { checkDockerFolder } = await import('../../src/machine/checks/programs.ts');
  const context = { host: { ...fake.host, isRoot: false, user: 'ada' } } as CheckContext;
  const found = await checkDockerFolder(context);
  expect(found.map(({ fix }) => fix)).toEqual(
    process.getuid?.() === 0 ? [`sudo chown -R ada ${join(fake.host.home, '.docker')}`] : [],
  );
});

const GB = 1e9;
test.each([
  [100 * GB, 500 * GB, false, 'ok'],
  // Large disks: a small share is still room.
  [60 * GB, 2_000 * GB, false, 'ok'],
  [30 * GB, 300 * GB, false, 'warn'],
  [4 * GB, 100 * GB, false, 'fail'],
  [14 * GB, 50 * GB, true, 'fail'],
  [14 * GB, 50 * GB, false, 'ok'],
  [16 * GB, 50 * GB, true, 'ok'],
])('disk: %d free of %d, building %s: %s', (free, size, builds, state) => {
  expect(toCheck({ free, size, path: '/', holds: ['images'] }, builds)).toMatchObject({ state });
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
