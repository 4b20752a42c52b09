import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findProcess } from '../../src/lib/processes.ts';
import { acquireLock, findLockOwner, type LockOwner } from '../../src/state/lock.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const holder = join(import.meta.dirname, 'hold-lock.ts');

function startHolder(path: string, command: string): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, ['--import', 'tsx', holder, path, command]);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

async function readLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  const [chunk] = await once(child.stdout, 'data');
  return String(chunk).trim();
}

async function makeLockPath(): Promise<string> {
  return join(await makeTemporaryFolder(), 'lock');
}

test('keeps others out until it is released', async () => {
  const path = await makeLockPath();
  const lock = await acquireLock(path, { command: 'npm run up' });
  await expect(acquireLock(path, { command: 'npm run down' })).rejects.toThrow(/npm run up \(PID \d+\)/);
  await lock.release();
  const next = await acquireLock(path, { command: 'npm run down' });
  expect(await findLockOwner(path)).toMatchObject({ pid: process.pid, command: 'npm run down' });
  await next.release();
  expect(await findLockOwner(path)).toBeUndefined();
});

test('of many processes at once exactly one gets it, and the others say who', async () => {
  const path = await makeLockPath();
  const children = Array.from({ length: 6 }, (_, index) => startHolder(path, `npm run up ${index}`));
  const lines = await Promise.all(children.map(readLine));
  const owner = children[lines.indexOf('held')];
  expect(lines.filter((line) => line === 'held')).toHaveLength(1);
  for (const line of lines.filter((each) => each !== 'held')) {
    expect(line).toMatch(
      new RegExp(`^another run is in progress: npm run up \\d \\(PID ${owner?.pid}\\), for \\d`),
    );
  }
});

test('an owner that was killed holds nothing, and only one takes over', async () => {
  const path = await makeLockPath();
  const first = startHolder(path, 'npm run up');
  expect(await readLine(first)).toBe('held');
  first.kill('SIGKILL');
  await once(first, 'exit');
  const successors = Array.from({ length: 5 }, (_, index) => startHolder(path, `npm run up ${index}`));
  const lines = await Promise.all(successors.map(readLine));
  expect(lines.filter((line) => line === 'held')).toHaveLength(1);
});

test('many takeovers in one process never overlap and leave one file', async () => {
  const path = await makeLockPath();
  let inside = 0;
  let most = 0;
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const takeTurn = async () => {
    const lock = await acquireLock(path, { command: 'build', wait: { signal, interval: 1 } });
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
    await lock.release();
  };
  await Promise.all(Array.from({ length: 30 }, takeTurn));
  expect(most).toBe(1);
  expect(await readdir(path)).toEqual(['30']);
});

const damaged: readonly (readonly [string, (path: string) => Promise<void>])[] = [
  ['garbage where its folder belongs', (path) => writeFile(path, '\u0000garbage')],
  ['an empty file where its folder belongs', (path) => writeFile(path, '')],
  ['an empty turn', (path) => writeTurn(path, '')],
  ['a turn of garbage', (path) => writeTurn(path, '{"pid":')],
  ['a turn of another shape', (path) => writeTurn(path, '{"pid":"1","since":3}')],
  ['a folder for a turn', (path) => mkdir(join(path, '7'), { recursive: true }).then(() => {})],
  ['a dead owner', (path) => writeTurn(path, toOwner({ pid: 2 ** 22 + 1 }))],
  ['an owner whose PID is now another process', (path) => writeTurn(path, toOwner({ started: 'boot/1' }))],
];

async function writeTurn(path: string, text: string): Promise<void> {
  await mkdir(path);
  await writeFile(join(path, '7'), text);
}

function toOwner(owner: Partial<LockOwner>): string {
  return JSON.stringify({
    pid: process.pid,
    started: '',
    command: 'old',
    since: new Date().toISOString(),
    ...owner,
  });
}

for (const [what, damage] of damaged) {
  test(`is free with ${what}`, async () => {
    const path = await makeLockPath();
    await damage(path);
    expect(await findLockOwner(path)).toBeUndefined();
    const lock = await acquireLock(path, { command: 'npm run up' });
    await expect(acquireLock(path, { command: 'again' })).rejects.toMatchObject({ exitCode: 10 });
    await lock.release();
  });
}

test('its folder may be removed while it is held', async () => {
  const path = await makeLockPath();
  const lock = await acquireLock(path, { command: 'npm run down' });
  await rm(path, { recursive: true });
  await lock.release();
});

test('waits for its turn, and reports each owner once', async () => {
  const path = await makeLockPath();
  const lock = await acquireLock(path, { command: 'build node' });
  const waitedFor: string[] = [];
  const { signal } = new AbortController();
  const wait = { signal, every: 1, onWait: ({ command }: LockOwner) => waitedFor.push(command) };
  const waiting = acquireLock(path, { command: 'build again', wait });
  await expect.poll(() => waitedFor).toEqual(['build node']);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await lock.release();
  await (await waiting).release();
  expect(waitedFor).toEqual(['build node']);
});

test('stops waiting when the run is aborted', async () => {
  const path = await makeLockPath();
  await acquireLock(path, { command: 'build node' });
  const run = new AbortController();
  const waiting = acquireLock(path, { command: 'build again', wait: { signal: run.signal, interval: 1 } });
  run.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});

test('the owner is distinguished from a later process by more than its PID', async () => {
  const path = await makeLockPath();
  await acquireLock(path, { command: 'npm run up' });
  const owner = JSON.parse(await readFile(join(path, '1'), 'utf8'));
  expect(owner.started).toBe((await findProcess(process.pid))?.started);
  expect(owner.started.length).toBeGreaterThan(10);
});

test('an owner that cannot be read is not taken for none', async () => {
  const path = await makeLockPath();
  await mkdir(path);
  // Read by anyone, root included, it ends in ELOOP.
  await symlink('1', join(path, '1'));
  await expect(acquireLock(path, { command: 'npm run up' })).rejects.toMatchObject({ code: 'ELOOP' });
  expect(await readdir(path)).toEqual(['1']);
});
