import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { findProcess } from '../src/lib/processes.ts';

interface Interruptible {
  readonly child: ChildProcessWithoutNullStreams;
  /** PID of the program it started. */
  readonly program: number;
  readonly output: () => string;
  readonly ended: Promise<number>;
}

async function start(how: 'willing' | 'stubborn', { timeout = 60_000 } = {}): Promise<Interruptible> {
  const script = join(import.meta.dirname, 'interruptible.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, how, String(timeout)]);
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const ended = once(child, 'exit').then(([code]) => Number(code));
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const program = Number(text);
  onTestFinished(() => {
    // Usually it has ended already.
    if (isAlive(program)) process.kill(program, 'SIGKILL');
  });
  text = '';
  return { child, program, output: () => text, ended };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test.each([
  ['SIGINT', 'interrupted; npm run up\n', 130],
  ['SIGHUP', 'the terminal was closed; npm run up\n', 130],
  ['SIGTERM', 'terminated; npm run up\n', 143],
] as const)('%s ends it in order', async (signal, output, exitCode) => {
  const interruptible = await start('willing');
  interruptible.child.kill(signal);
  expect(await interruptible.ended).toBe(exitCode);
  expect(interruptible.output()).toBe(output);
});

test('the Ctrl-C that npm forwards counts as the same key press', async () => {
  const { child, ended, output } = await start('stubborn', { timeout: 1_000 });
  child.kill('SIGINT');
  child.kill('SIGINT');
  await sleep(150);
  child.kill('SIGINT');
  const early = await Promise.race([ended, sleep(400, 'runs on')]);
  expect(early).toBe('runs on');
  expect(output()).toBe('interrupted; npm run up\n');
});

test('a second Ctrl-C kills the process and the programs that it started', async () => {
  const { child, ended, program } = await start('stubborn');
  child.kill('SIGINT');
  await sleep(400);
  expect(isAlive(program)).toBe(true);
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  await expect.poll(() => findProcess(program)).toBeUndefined();
});

test('a process that does not end in time is killed', async () => {
  const { child, ended, program } = await start('stubborn', { timeout: 200 });
  child.kill('SIGTERM');
  expect(await ended).toBe(143);
  expect(await findProcess(program)).toBeUndefined();
});

test('a process ends when npm is killed with SIGKILL', async () => {
  const script = join(import.meta.dirname, 'interruptible.ts');
  // Like npm, this parent waits for its child and disappears at once when it is killed.
  const program = `'${process.execPath}' --import tsx '${script}' willing 60000 npm; true`;
  const npm = spawn('sh', ['-c', program]);
  onTestFinished(() => void npm.kill('SIGKILL'));
  let text = '';
  npm.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const closed = once(npm.stdout, 'close');
  await once(npm.stdout, 'data');
  npm.kill('SIGKILL');
  await closed;
  expect(text).toMatch(/^\d+\nnpm has exited; npm run up\n$/);
});
