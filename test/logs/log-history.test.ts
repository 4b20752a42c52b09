import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogSource } from '../../src/logs/log-containers.ts';
import { openLogHistory } from '../../src/logs/log-history.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const source = (component: string): LogSource => ({
  ...{ component, pod: `${component}-5f-abc`, container: component },
  ...{ podSuffix: undefined, isOneOfSeveral: false },
});
const line = (text: string) => ({ time: '2026-11-26T12:00:00.000000001Z', text });
const read = (folder: string, name: string) => readFile(join(folder, name), 'utf8');

test('a file per component, whole lines in order, readable only by the user', async () => {
  const folder = join(await makeTemporaryFolder(), 'logs');
  const history = openLogHistory({ folder, name: 'run' });
  await Promise.all([
    history.append(source('auth'), [line('one'), line('two')]),
    history.append(source('redis'), [line('\x1b[2Jthree\rfour')]),
    history.append(source('auth'), [line('five')]),
  ]);
  await history.close();
  const prefix = '2026-11-26T12:00:00.000000001Z auth-5f-abc/auth ';
  expect(await read(history.folder, 'auth.1.log')).toBe(`${prefix}one\n${prefix}two\n${prefix}five\n`);
  expect(await read(history.folder, 'redis.1.log')).toMatch(/ threefour\n$/);
  expect((await stat(join(history.folder, 'auth.1.log'))).mode & 0o777).toBe(0o600);
  expect((await stat(history.folder)).mode & 0o777).toBe(0o700);
});

test('nothing is created before the first line, and nothing written after close', async () => {
  const folder = join(await makeTemporaryFolder(), 'logs');
  const history = openLogHistory({ folder, name: 'run' });
  await history.close();
  await history.append(source('auth'), [line('late')]);
  await expect(readdir(folder)).rejects.toThrow('ENOENT');
});

test('a full file is followed by the next one', async () => {
  const folder = await makeTemporaryFolder();
  const history = openLogHistory({ folder, name: 'run', fileSize: 100 });
  for (const text of ['x'.repeat(100), 'y', 'z'.repeat(100), 'a']) {
    await history.append(source('auth'), [line(text)]);
  }
  await history.close();
  expect((await readdir(history.folder)).toSorted()).toEqual(['auth.1.log', 'auth.2.log', 'auth.3.log']);
  expect(await read(history.folder, 'auth.3.log')).toMatch(/ a\n$/);
});

test('above the total size the oldest files are removed, but never an open one', async () => {
  const folder = await makeTemporaryFolder();
  for (const [at, name] of ['first', 'second'].entries()) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'auth.1.log'), 'x'.repeat(1000));
    await utimes(join(folder, name, 'auth.1.log'), at + 1, at + 1);
  }
  const history = openLogHistory({ folder, name: 'third', fileSize: 1000, totalSize: 2500 });
  await history.append(source('redis'), [line('x'.repeat(1500))]);
  await history.append(source('auth'), [line('y')]);
  await history.close();
  const left = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.log'));
  expect(left.toSorted()).toEqual(['third/auth.1.log', 'third/redis.1.log']);
});
