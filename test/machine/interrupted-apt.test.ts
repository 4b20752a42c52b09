import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const script = join(import.meta.dirname, 'run-apt.ts');

/** A program that runs `apt-get install`, which here takes 1.5 seconds and writes two lines. */
async function start(timeout = 60_000) {
  const folder = await makeTemporaryFolder();
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const apt = `#!/bin/sh\necho unpacking; sleep 1.5\necho configuring && touch '${folder}/configured'\n`;
  await writeFile(join(bin, 'apt-get'), apt);
  await chmod(join(bin, 'apt-get'), 0o755);
  // A process group of its own, as a shell gives it, so that a signal reaches all of it like Ctrl-C.
  const child = spawn(process.execPath, ['--import', 'tsx', script, String(timeout)], {
    detached: true,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, TMPDIR: folder },
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const ended = once(child, 'exit').then(([code, signal]) => code ?? signal);
  const killGroup = (signal: NodeJS.Signals) => process.kill(-(child.pid as number), signal);
  onTestFinished(() => void child.kill('SIGKILL'));
  const isConfigured = () =>
    access(join(folder, 'configured')).then(
      () => true,
      () => false,
    );
  await expect.poll(() => output, { timeout: 10_000 }).toContain('unpacking');
  return { ended, killGroup, isConfigured, output: () => output };
}

test('Ctrl-C waits until apt-get has ended, longer than for any other program', async () => {
  const { ended, killGroup, isConfigured, output } = await start(200);
  killGroup('SIGINT');
  expect(await ended).toBe(130);
  expect(await isConfigured()).toBe(true);
  expect(output()).toContain('waiting for apt-get to end: it must not be stopped in the middle');
});

test.each([
  ['a forced end', ['SIGINT', 'SIGINT'], 130],
  ['kill -9', ['SIGKILL'], 'SIGKILL'],
] as const)('%s leaves apt-get running to its end', async (_, signals, end) => {
  const { ended, killGroup, isConfigured } = await start();
  for (const signal of signals) {
    killGroup(signal);
    await sleep(250);
  }
  expect(await ended).toBe(end);
  expect(await isConfigured()).toBe(false);
  await expect.poll(isConfigured, { timeout: 5_000 }).toBe(true);
});
