import { createHash } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findEngine, getEngine } from '../../src/machine/engine.ts';
import { EngineFailure } from '../../src/machine/engine-failure.ts';
import type { Host } from '../../src/machine/host.ts';
import { docker, dockerRoutes, startEngine } from '../fakes/engine.ts';
import { makeHost } from '../fakes/host.ts';

const withHost = (host: Host, env: NodeJS.ProcessEnv): Host => ({ ...host, env: { ...host.env, ...env } });
const failureOf = (host: Host, timeout = 3_000) =>
  getEngine(host, { timeout }).then(
    () => undefined,
    (error: unknown) => (error instanceof EngineFailure ? error : undefined),
  );

async function makeContext(folder: string, name: string, host: string): Promise<void> {
  const id = createHash('sha256').update(name).digest('hex');
  await mkdir(join(folder, 'contexts/meta', id), { recursive: true });
  const meta = { Name: name, Metadata: {}, Endpoints: { docker: { Host: host, SkipTLSVerify: false } } };
  await writeFile(join(folder, 'contexts/meta', id, 'meta.json'), JSON.stringify(meta));
}

test('the engine at the default socket', async () => {
  const { host, root } = await makeHost();
  await mkdir(join(root, 'var/run'), { recursive: true });
  const socket = await startEngine(dockerRoutes, join(root, 'var/run/docker.sock'));
  expect(await getEngine(host)).toEqual({
    socket,
    source: 'default socket',
    version: '20.10.24+dfsg1',
    apiVersion: '1.41',
    rootless: false,
    missingControllers: [],
    cgroupVersion: 1,
    storageDriver: 'overlay2',
    dockerRoot: '/var/lib/docker',
    imageStore: 'classic',
    inVirtualMachine: false,
    arch: 'amd64',
    cpus: 2,
    memory: 25_276_510_208,
    mtu: 1400,
    clockSkew: undefined,
    kernel: '6.1.0-40-amd64',
    daemonId: 'CYBK:A5RL',
  });
});

test('DOCKER_HOST goes over a context, and a context over the default socket', async () => {
  const { host } = await makeHost();
  const [first, second] = [await startEngine(), await startEngine()];
  const folder = join(host.home, '.docker');
  await makeContext(folder, 'colima', `unix://${second}`);
  await writeFile(join(folder, 'config.json'), '{"currentContext":"colima"}');

  const byContext = await getEngine(host);
  expect(byContext).toMatchObject({ socket: second, source: 'docker context colima' });
  const byHost = await getEngine(withHost(host, { DOCKER_HOST: `unix://${first}` }));
  expect(byHost).toMatchObject({ socket: first, source: 'DOCKER_HOST' });
});

test('a rootless engine is found beside a default socket where nothing is', async () => {
  const { host, root } = await makeHost();
  const info = {
    ...docker.info,
    SecurityOptions: ['name=seccomp', 'name=rootless', 'name=cgroupns'],
    CgroupVersion: '2',
  };
  const socket = await startEngine({ ...dockerRoutes, 'GET /info': info }, join(root, 'docker.sock'));
  const engine = await getEngine(withHost(host, { XDG_RUNTIME_DIR: root }));
  expect(engine).toMatchObject({ socket, rootless: true, cgroupVersion: 2 });
});

test('images stored in containerd, an engine in a virtual machine, no default network', async () => {
  const { host } = await makeHost();
  const info = {
    ...docker.info,
    DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']],
    OperatingSystem: 'Docker Desktop',
    SystemTime: new Date(Date.now() + 90_000).toISOString(),
  };
  const socket = await startEngine({ 'GET /version': docker.version, 'GET /info': info });
  const engine = await getEngine(withHost(host, { DOCKER_HOST: `unix://${socket}` }));
  expect(engine).toMatchObject({ imageStore: 'containerd', inVirtualMachine: true, mtu: undefined });
  expect(engine.clockSkew).toBeGreaterThan(80_000);
});

test.each(['tcp://10.0.0.7:2376', 'ssh://me@there', '10.0.0.7:2375'])(
  '%s is refused, exit code 9',
  async (url) => {
    const { host } = await makeHost();
    const failure = await failureOf(withHost(host, { DOCKER_HOST: url }));
    expect(failure).toMatchObject({ problem: 'remote', exitCode: 9, hint: 'unset DOCKER_HOST' });
    expect(failure?.message).toContain(url);
  },
);

test('a context that does not exist is named with who names it', async () => {
  const { host } = await makeHost();
  expect(await failureOf(withHost(host, { DOCKER_CONTEXT: 'nope' }))).toMatchObject({
    problem: 'context',
    message: 'docker context nope does not exist',
    cause: 'DOCKER_CONTEXT names it',
    hint: 'unset DOCKER_CONTEXT',
    exitCode: 3,
  });
});

test('Podman is refused with the reason', async () => {
  const { host } = await makeHost();
  const version = { ...docker.version, Components: [{ Name: 'Podman Engine' }] };
  const socket = await startEngine({ ...dockerRoutes, 'GET /version': version });
  const failure = await failureOf(withHost(host, { DOCKER_HOST: `unix://${socket}` }));
  expect(failure).toMatchObject({ problem: 'podman', exitCode: 3 });
  expect(failure?.message).toContain('Podman');
});

test('not installed is distinguished from installed and not running', async () => {
  const bare = await makeHost();
  expect(await failureOf(bare.host)).toMatchObject({ problem: 'absent' });
  expect(await findEngine(bare.host)).toBeUndefined();

  const stopped = await makeHost({ programs: { dockerd: '' } });
  expect(await failureOf(stopped.host)).toMatchObject({ problem: 'down', hint: 'sudo service docker start' });
  expect(await findEngine(stopped.host)).toBeUndefined();

  const systemd = await makeHost({ programs: { dockerd: '' }, files: { 'run/systemd/system/x': '' } });
  expect((await failureOf(systemd.host))?.hint).toBe('sudo systemctl start docker');
});

test('a socket file without a listener is an engine that is not running', async () => {
  const { host, root } = await makeHost();
  const socket = join(root, 'docker.sock');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  // What is left of an engine that was killed: closing it properly would remove the file.
  const { rename } = await import('node:fs/promises');
  await rename(socket, `${socket}.left`);
  await new Promise((resolve) => server.close(resolve));
  const failure = await failureOf(withHost(host, { DOCKER_HOST: `unix://${socket}.left` }));
  expect(failure).toMatchObject({ problem: 'down' });
  expect(String(failure?.cause)).toContain('ECONNREFUSED');
});

test('an engine that never responds fails after the timeout', async () => {
  const { host } = await makeHost();
  const socket = await startEngine({ 'GET /version': () => {} });
  const failure = await failureOf(withHost(host, { DOCKER_HOST: `unix://${socket}` }), 80);
  expect(failure).toMatchObject({ problem: 'silent', exitCode: 3 });
});

test('one that has reported its version may take longer for the rest', async () => {
  const { host } = await makeHost();
  const socket = await startEngine({
    ...dockerRoutes,
    'GET /info': (_, response) => setTimeout(() => response.end(JSON.stringify(docker.info)), 150),
  });
  const engine = await getEngine(withHost(host, { DOCKER_HOST: `unix://${socket}` }), { timeout: 100 });
  expect(engine.cpus).toBe(2);
});

test('an engine that is not open to this user', async () => {
  const { host } = await makeHost({ user: 'ada', files: { 'etc/group': 'docker:x:112:bob\n' } });
  const socket = await startEngine();
  await chmod(socket, 0o000);
  const named = withHost(host, { DOCKER_HOST: `unix://${socket}` });
  const failure = await asNobody(() => failureOf(named));
  expect(failure).toMatchObject({
    problem: 'denied',
    exitCode: 3,
    hint: 'sudo usermod -aG docker ada && sg docker -c "npm run up"',
  });
});

test('who is in the group already need not join it', async () => {
  const { host, root } = await makeHost({ user: 'ada', files: { 'etc/group': 'docker:x:112:bob,ada\n' } });
  const socket = await startEngine();
  await chmod(socket, 0o000);
  await chmod(root, 0o755);
  const failure = await asNobody(() => failureOf(withHost(host, { DOCKER_HOST: `unix://${socket}` })));
  expect(failure?.hint).toBe('sg docker -c "npm run up"');
});

/** Root may open every socket, so its rights are given up for as long as it takes. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.('nobody');
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

test('a server that is not an engine is unsupported', async () => {
  const { host } = await makeHost();
  const socket = await startEngine({ 'GET /version': { hello: 'world' } });
  expect(await failureOf(withHost(host, { DOCKER_HOST: `unix://${socket}` }))).toMatchObject({
    problem: 'broken',
  });
});

test('Ctrl-C ends the question with its own reason', async () => {
  const { host } = await makeHost();
  const run = new AbortController();
  const socket = await startEngine({ 'GET /version': () => run.abort(new Error('stop')) });
  onTestFinished(() => run.abort());
  const asked = getEngine(withHost(host, { DOCKER_HOST: `unix://${socket}` }), { signal: run.signal });
  await expect(asked).rejects.toThrow('stop');
});
