import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadEnvironment } from '../../src/config/load.ts';
import { serviceTable, tableFile } from '../service-table.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import { createCheckout, placeOf } from './checkout.ts';
import { startCpuTime } from './cpu-time.ts';
import { refusal } from './refusal.ts';

const inBase = (...keys: string[]) => placeOf('env/base.yaml', 'services', ...keys);
const inTable = (...keys: string[]) => placeOf(tableFile, 'services', ...keys);
const names = Object.keys(serviceTable);
const refusalOf = async (local: string) => refusal(await createCheckout({ 'env/local.yaml': local }));
const load = async (local: string) =>
  loadEnvironment({ checkout: await createCheckout({ 'env/local.yaml': local }), name: 'local-kind' });

describe('ports', () => {
  test('of two services are named at both places, the later layer to blame', async () => {
    expect(await refusalOf('services:\n  video-service: {port: 8001}\n  auth-service:\n    port: 8003')).toBe(
      [
        `env/local.yaml:2:25 services.video-service.port: got 8001, expected a different port: chat-service has it (${inTable('chat-service', 'port')})`,
        `env/local.yaml:4:11 services.auth-service.port: got 8003, expected a different port: storage-service has it (${inTable('storage-service', 'port')})`,
      ].join('\n'),
    );
  });

  test('of http and https are two', async () => {
    expect(await refusalOf('cluster: {httpPort: 8080, httpsPort: 8080}')).toBe(
      'env/local.yaml:1:38 cluster.httpsPort: got 8080, expected a different port: httpPort has it (env/local.yaml:1:21)',
    );
    expect(await refusalOf('cluster: {httpPort: 443}')).toBe(
      `env/local.yaml:1:21 cluster.httpPort: got 443, expected a different port: httpsPort has it (${placeOf('env/local-kind.yaml', 'cluster', 'httpsPort')})`,
    );
  });

  test('of http and https are not swapped', async () => {
    expect(await refusalOf('cluster: {httpPort: 443, httpsPort: 80}')).toBe(
      'env/local.yaml:1:21 cluster.httpPort: got 443, expected the port of http: httpsPort has 80 (env/local.yaml:1:37)',
    );
  });

  test.each([
    [22, 'expected 80, 443 or a port from 1024 on'],
    [1023, 'expected 80, 443 or a port from 1024 on'],
    [6000, 'expected another port: browsers refuse this one'],
    [10080, 'expected another port: browsers refuse this one'],
    [0, 'expected a port: a whole number from 1 to 65535'],
    [-1, 'expected a port: a whole number from 1 to 65535'],
    [65536, 'expected a port: a whole number from 1 to 65535'],
    ['80:80', 'expected a port: a whole number from 1 to 65535'],
    ['0.0.0.0:80', 'expected a port: a whole number from 1 to 65535'],
    ['"[::]:80"', 'expected a port: a whole number from 1 to 65535'],
  ])('of this machine cannot be %s', async (port, expected) => {
    expect(await refusalOf(`cluster: {httpPort: ${port}}`)).toMatch(
      new RegExp(`^env/local\\.yaml:1:21 cluster\\.httpPort: got .+, ${expected}`),
    );
  });

  test('a service may listen on a low port: its pod is allowed to', async () => {
    const { services } = await load('services: {auth-service: {port: 22}}');
    expect(services['auth-service']?.port).toBe(22);
  });
});

describe('routes', () => {
  test('are of one service each', async () => {
    expect(await refusalOf('services: {user-service: {route: auth}}')).toBe(
      `env/local.yaml:1:34 services.user-service.route: got auth, expected a different route: auth-service has it (${inTable('auth-service', 'route')})`,
    );
  });

  test('are missing for one service, which answers at /', async () => {
    expect(await refusalOf('services: {frontend: {route: app}}')).toMatch(
      /^helm\/charts\/wealist-common\/values\.yaml:\d+:\d+ services: got a route for each service, expected one service without/,
    );
    expect(await refusalOf('services:\n  ops: {port: 9005, standIn: services/frontend}')).toMatch(
      /^env\/local\.yaml:2:3 services\.ops\.route: missing, expected a route: one service has none, and that is frontend \(helm\/charts\/wealist-common\/values\.yaml:\d+:7\)$/,
    );
  });
});

describe('needs', () => {
  test('name known services', async () => {
    expect(await refusalOf('services: {frontend: {needs: [auth-servce, zzz, Redis]}}')).toBe(
      [
        'env/local.yaml:1:31 services.frontend.needs[0]: got "auth-servce", expected a known name: nearest is auth-service',
        `env/local.yaml:1:44 services.frontend.needs[1]: got "zzz", expected one of ${[...names, 'postgres', 'redis', 's3'].slice(0, 12).join(', ')}`,
        'env/local.yaml:1:49 services.frontend.needs[2]: got "Redis", expected a known name: nearest is redis',
      ].join('\n'),
    );
  });

  test('are not the service itself', async () => {
    expect(await refusalOf('services: {frontend: {needs: [frontend]}}')).toBe(
      'env/local.yaml:1:31 services.frontend.needs[0]: got frontend, expected another service than itself',
    );
  });

  test('stand there once', async () => {
    expect(await refusalOf('services: {frontend: {needs: [redis, s3, redis]}}')).toBe(
      'env/local.yaml:1:42 services.frontend.needs[2]: got "redis" again, expected it once (env/local.yaml:1:31)',
    );
  });

  test('of two make no circle', async () => {
    expect(await refusalOf('services: {auth-service: {needs: [redis, user-service]}}')).toBe(
      'env/local.yaml:1:42 services.auth-service.needs[1]: got a cycle, auth-service → user-service → auth-service: remove one of these needs',
    );
  });

  test('of all make no circle', async () => {
    const services = names.map((name, index) => `  ${name}: {needs: [${names[(index + 1) % names.length]}]}`);
    expect(await refusalOf(`services:\n${services.join('\n')}`)).toBe(
      `env/local.yaml:2:26 services.auth-service.needs[0]: got a cycle, ${[...names, names[0]].join(' → ')}: remove one of these needs`,
    );
  });

  const chain = (length: number, first: string) =>
    Array.from({ length }, (_, index) =>
      [
        `  x${index}:`,
        `    port: ${10_000 + index}`,
        `    route: r${index}`,
        '    standIn: services/frontend',
        `    needs: [${index === 0 ? first : `x${index - 1}`}]`,
      ].join('\n'),
    ).join('\n');

  test('may be a chain of 1000', async () => {
    const cpuTime = startCpuTime();
    const { services } = await load(`services:\n${chain(1000, 'redis')}`);
    expect(cpuTime()).toBeLessThan(1000);
    expect(Object.keys(services)).toHaveLength(names.length + 1000);
  });

  test('of 1000 in a circle are refused in time, the path cut', async () => {
    const cpuTime = startCpuTime();
    const message = await refusalOf(`services:\n${chain(1000, 'x999')}`);
    expect(cpuTime()).toBeLessThan(1000);
    expect(message).toMatch(
      /got a cycle, x0 → x999 → x998 → x997 → x996 → x995 → … → x4 → x3 → x2 → x1 → x0: remove one of these needs/,
    );
  });
});

describe('builds', () => {
  test('a stand-in is a folder of this checkout', async () => {
    const outside = await makeTemporaryFolder();
    const checkout = await createCheckout({
      'env/local.yaml': [
        'services:',
        '  auth-service: {standIn: services/missing}',
        '  user-service: {standIn: services/file}',
        '  board-service: {standIn: services/out}',
        '  chat-service: {standIn: ../x}',
        '  noti-service: {standIn: /etc}',
        '  storage-service: {standIn: services/loop}',
        '  video-service: {standIn: "~"}',
        '  frontend: {standIn: a/../../x}',
      ].join('\n'),
      'services/file': 'x',
    });
    await symlink(outside, join(checkout, 'services/out'));
    await symlink('loop', join(checkout, 'services/loop'));
    expect((await refusal(checkout)).split('\n')).toEqual([
      'env/local.yaml:2:27 services.auth-service.standIn: got "services/missing", expected a folder of this checkout: it does not exist',
      'env/local.yaml:3:27 services.user-service.standIn: got "services/file", expected a folder of this checkout: it is a file',
      'env/local.yaml:4:28 services.board-service.standIn: got "services/out", expected a folder of this checkout: it is outside of that folder',
      'env/local.yaml:5:27 services.chat-service.standIn: got "../x", expected a folder of this checkout, such as services/auth-service',
      'env/local.yaml:6:27 services.noti-service.standIn: got "/etc", expected a folder of this checkout, such as services/auth-service',
      'env/local.yaml:7:30 services.storage-service.standIn: got "services/loop", expected a folder of this checkout: it does not exist',
      'env/local.yaml:8:28 services.video-service.standIn: got "~", expected a path without ~, $ or - at its start: ~ and variables are not expanded',
      'env/local.yaml:9:23 services.frontend.standIn: got "a/../../x", expected a folder of this checkout, such as services/auth-service',
    ]);
  });

  test('the source is a folder', async () => {
    const checkout = await createCheckout({ 'env/local.yaml': 'source: ../not-there' });
    expect(await refusal(checkout)).toBe(
      `env/local.yaml:1:9 source: got "../not-there", expected a folder at ${join(dirname(checkout), 'not-there')}: it does not exist`,
    );
    for (const path of ['$HOME/wealist', '~/wealist', '-rf', '"a\\0b"', '""']) {
      await writeFile(join(checkout, 'env/local.yaml'), `source: ${path}`);
      expect(await refusal(checkout)).toMatch(/^env\/local\.yaml:1:9 source: got ".*", expected a/);
    }
  });

  test('a flag may name the source', async () => {
    const checkout = await createCheckout();
    const overrides = [{ flag: '--source', path: ['source'] as const, value: '/not/there' }];
    expect(await refusal(checkout, overrides)).toBe(
      '--source source: got "/not/there", expected a folder at /not/there: it does not exist',
    );
  });

  /** A checkout with a source beside it, `local.yaml` naming it. */
  async function createWithSource(local: string, files: Readonly<Record<string, string>>): Promise<string> {
    const source = Object.entries(files).map(([file, text]) => [`source/${file}`, text]);
    return createCheckout({ 'env/local.yaml': `source: source\n${local}`, ...Object.fromEntries(source) });
  }

  test('a Dockerfile may be missing where the stand-in will do', async () => {
    const checkout = await createWithSource('', { 'services/auth-service/Dockerfile': 'FROM scratch' });
    const environment = await loadEnvironment({ checkout, name: 'local-kind' });
    expect(environment.source).toBe('source');
  });

  test('a Dockerfile that is asked for exists: its path is shown', async () => {
    const checkout = await createWithSource('services: {auth-service: {build: source}}', { 'README.md': '' });
    expect(await refusal(checkout)).toBe(
      `${inBase('auth-service', 'dockerfile')} services.auth-service.dockerfile: got "services/auth-service/Dockerfile", expected a file at ${join(checkout, 'source/services/auth-service/Dockerfile')}: it does not exist`,
    );
  });

  test('a build from the source wants the source, a Dockerfile and a context', async () => {
    expect(await refusalOf('services: {auth-service: {build: source}}')).toBe(
      'env/local.yaml:1:34 services.auth-service.build: got source, expected the key source: a checkout of weAlist',
    );
    const ops = 'services:\n  ops: {port: 9005, route: ops, standIn: services/frontend';
    expect(await refusalOf(`${ops}, build: source}`)).toBe(
      'env/local.yaml:2:68 services.ops.build: got source, expected the key dockerfile beside it',
    );
    expect(await refusalOf(`${ops}, dockerfile: ops/Dockerfile}`)).toBe(
      'env/local.yaml:2:73 services.ops.dockerfile: got no context, expected the key context beside it',
    );
  });

  test('a Dockerfile stands inside its context, and both inside the source', async () => {
    const outside = await makeTemporaryFolder();
    await writeFile(join(outside, 'Dockerfile'), 'FROM scratch');
    const checkout = await createWithSource(
      [
        'services:',
        '  auth-service: {context: services/other}',
        '  user-service: {dockerfile: ../Dockerfile}',
        '  board-service: {dockerfile: out/Dockerfile}',
        '  chat-service: {dockerfile: folder, context: .}',
        '  noti-service: {dockerfile: file, context: ./}',
      ].join('\n'),
      { file: 'FROM scratch' },
    );
    await symlink(outside, join(checkout, 'source/out'));
    await mkdir(join(checkout, 'source/folder'));
    expect((await refusal(checkout)).split('\n')).toEqual([
      `${inBase('auth-service', 'dockerfile')} services.auth-service.dockerfile: got "services/auth-service/Dockerfile", expected a file inside the context "services/other"`,
      'env/local.yaml:4:30 services.user-service.dockerfile: got "../Dockerfile", expected a file of the source, such as services/auth-service/Dockerfile',
      `env/local.yaml:5:31 services.board-service.dockerfile: got "out/Dockerfile", expected a file at ${join(checkout, 'source/out/Dockerfile')}: it is outside of that folder`,
      `env/local.yaml:6:30 services.chat-service.dockerfile: got "folder", expected a file at ${join(checkout, 'source/folder')}: it is a folder`,
    ]);
  });

  test('a service that only has its stand-in is not asked for a Dockerfile', async () => {
    const { services } = await load('services: {auth-service: {build: stand-in, context: elsewhere}}');
    expect(services['auth-service']?.build).toBe('stand-in');
  });
});
