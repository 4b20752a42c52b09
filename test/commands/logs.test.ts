import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { parseInput } from '../../src/cli/parse.ts';
import { command } from '../../src/commands/logs.ts';
import { secretKeys } from '../../src/lib/secret-rules.ts';
import { toLogTime } from '../../src/logs/log-line.ts';
import { startApiServer } from '../fakes/api-server.ts';
import { makeApp } from '../fakes/app.ts';
import { makeClusterFolder, writeKubeconfig } from '../fakes/cluster-folder.ts';
import { makePod, makeStatus } from '../fakes/cluster-objects.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

/** A cluster in which auth-service and redis have each logged one line. */
async function startCluster() {
  const fake = await startApiServer();
  for (const [at, name] of ['redis', 'auth-service', 'stranger'].entries()) {
    const labels = {
      'app.kubernetes.io/name': name,
      ...(name === 'stranger' ? {} : { 'app.kubernetes.io/part-of': 'wealist' }),
    };
    const pod = makePod(name, 'owner', {
      labels,
      containerStatuses: makeStatus({ containerID: `containerd://${name}` }),
    });
    fake.startRun(name, 'main');
    fake.writeLog(name, 'main', {
      time: toLogTime(at * 1000),
      text: `{"level":"info","message":"${name} is up"}`,
    });
    fake.setPod(pod);
  }
  return { fake, state: await makeClusterFolder({ server: fake.url }) };
}

async function run(args: readonly string[], options: { json?: boolean } = {}) {
  const { state } = await startCluster();
  const { app, stdout } = makeApp({ state, ...options });
  const parsed = parseInput('logs', command, args);
  if (parsed.help !== undefined) throw new Error('no help was asked for');
  await command.run(app, parsed.input);
  return stdout();
}

test('--no-follow prints the existing lines of all our services and data stores, and ends', async () => {
  const text = await run(['--no-follow']);
  expect(text).toMatch(/^redis .* INFO {2}redis is up\nauth-service .* INFO {2}auth-service is up\n$/);
});

test('prints matching lines of the named services as JSON', async () => {
  const text = await run(['redis', 'auth-service', '--no-follow', '--grep', 'auth.*up'], { json: true });
  expect(JSON.parse(text)).toMatchObject({
    service: 'auth-service',
    level: 'info',
    message: 'auth-service is up',
  });
});

test('--level prints lines of that level and above', async () => {
  expect(await run(['--no-follow', '--level', 'warn'])).toBe('');
  expect(await run(['--no-follow', '--level', 'info'])).toMatch(/redis is up\n.*auth-service is up\n$/);
});

test('--exclude leaves out matching lines, and --ignore-case holds for all patterns', async () => {
  expect(await run(['--no-follow', '--exclude', 'redis'])).toMatch(/^auth-service .* is up\n$/);
  expect(await run(['--no-follow', '--exclude', 'REDIS'])).toContain('redis is up');
  expect(await run(['--no-follow', '--exclude', 'REDIS', '-i'])).not.toContain('redis is up');
  expect(await run(['--no-follow', '--grep', 'REDIS', '--ignore-case'])).toMatch(/^redis .* is up\n$/);
});

test('follows until interrupted', async () => {
  const { state, fake } = await startCluster();
  const interrupt = new AbortController();
  const { app, stdout } = makeApp({ state, signal: interrupt.signal });
  const { input = {} } = parseInput('logs', command, ['redis']) as { input: object };
  const ended = command.run(app, { ...input }).catch((error) => error);
  await vi.waitFor(() => expect(stdout()).toContain('redis is up'));
  fake.writeLog('redis', 'main', { time: toLogTime(5_000), text: 'plain words' });
  await vi.waitFor(() => expect(stdout()).toMatch(/plain words\n$/));
  interrupt.abort(new Error('interrupted'));
  expect(await ended).toMatchObject({ message: 'interrupted' });
});

test('after down and up, it follows the logs of the new cluster', async () => {
  const { state, fake } = await startCluster();
  const interrupt = new AbortController();
  const { app, stdout, stderr } = makeApp({ state, signal: interrupt.signal });
  const { input = {} } = parseInput('logs', command, ['redis']) as { input: object };
  const ended = command.run(app, { ...input }).catch((error) => error);
  await vi.waitFor(() => expect(stdout()).toContain('redis is up'));
  fake.setDown(true);
  await rm(join(state, 'kubeconfig'));
  await vi.waitFor(() => expect(stderr()).toContain('the cluster was removed: waiting for it'), 5_000);
  const { fake: next } = await startCluster();
  next.writeLog('redis', 'main', { time: toLogTime(9_000), text: 'of the new cluster' });
  await writeKubeconfig(state, next.url);
  await vi.waitFor(() => expect(stdout()).toContain('of the new cluster'), 5_000);
  interrupt.abort();
  await ended;
});

test('a password in a log is replaced', async () => {
  const { state, fake } = await startCluster();
  const secrets = Object.fromEntries(secretKeys.map((key) => [key, `9f86d081884c7d65-${key}`]));
  await mkdir(join(state, 'data/wealist'), { recursive: true });
  await writeFile(join(state, 'data/wealist/secrets.yaml'), JSON.stringify({ shared: { secrets } }));
  const text = `connecting to postgres://u:${secrets.DB_PASSWORD}@postgres`;
  fake.writeLog('redis', 'main', { time: toLogTime(9_000), text });
  const { app, stdout } = makeApp({ state });
  const parsed = parseInput('logs', command, ['redis', '--no-follow']);
  await command.run(app, parsed.help === undefined ? parsed.input : {});
  expect(stdout()).toMatch(/connecting to postgres:\/\/u:\*\*\*@postgres\n$/);
});

test('all followed lines are saved, including those that are not shown', async () => {
  const { state, fake } = await startCluster();
  const interrupt = new AbortController();
  const { app, stdout, stderr } = makeApp({ state, signal: interrupt.signal });
  const parsed = parseInput('logs', command, ['--level', 'error', 'redis', 'auth-service']);
  const ended = command.run(app, parsed.help === undefined ? parsed.input : {}).catch((error) => error);
  await vi.waitFor(() => expect(stderr()).toContain('all lines are saved in '));
  fake.writeLog('redis', 'main', { time: toLogTime(5_000), text: '{"level":"error","message":"broken"}' });
  await vi.waitFor(() => expect(stdout()).toMatch(/ERROR broken\n$/));
  interrupt.abort(new Error('interrupted'));
  await ended;
  expect(stdout().split('\n').filter(Boolean)).toHaveLength(1);
  const [, folder = ''] = /saved in (.*)/.exec(stderr()) ?? [];
  expect(folder.startsWith(join(state, 'logs'))).toBe(true);
  expect(await readFile(join(folder, 'redis.1.log'), 'utf8')).toMatch(/redis is up"}\n.*broken"}\n$/);
  expect(await readFile(join(folder, 'auth-service.1.log'), 'utf8')).toContain('auth-service is up');
});

test.each([
  [['frontend', '--no-follow'], { message: 'no container of frontend has run', exitCode: 8 }],
  [['redis', '--previous'], { message: 'no container of redis has been restarted', exitCode: 8 }],
  [['authservice'], { message: '"authservice" is not a service, nearest is auth-service', exitCode: 2 }],
  [['--grep', '('], { message: '--grep takes a pattern, not "("', exitCode: 2 }],
  [['--level', 'loud'], { exitCode: 2 }],
  [['--tail', 'all'], { message: '--tail takes a number, not "all"', exitCode: 2 }],
])('%j is refused', async (args, failure) => {
  await expect(run(args)).rejects.toMatchObject(failure);
});

test('without a cluster it suggests npm run up', async () => {
  const { app } = makeApp({ state: await makeTemporaryFolder() });
  await expect(command.run(app, { services: [] })).rejects.toMatchObject({ hint: 'npm run up', exitCode: 5 });
});
