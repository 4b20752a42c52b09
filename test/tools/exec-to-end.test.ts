import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { makeTemporaryFolder } from '../temporary-folder.ts';

/** A process in a group of its own, as a shell starts it, so that a signal reaches all of the group like Ctrl-C. */
async function start(timeout: number) {
  const file = join(await makeTemporaryFolder(), 'file');
  const script = join(import.meta.dirname, 'exec-to-end.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, file, String(timeout)], {
    detached: true,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit').then(([code]) => Number(code));
  const output = text(child.stdout);
  await once(child.stdout, 'readable');
  // The program has started.
  await sleep(300);
  const killGroup = (signal: NodeJS.Signals) => process.kill(-(child.pid as number), signal);
  return { ended, output, killGroup, read: () => readFile(file, 'utf8') };
}

test('Ctrl-C, also for longer than other programs have, waits for its result', async () => {
  const { ended, output, killGroup, read } = await start(100);
  killGroup('SIGINT');
  expect(await ended).toBe(130);
  expect(await output).toBe('begun\nreplaced, interrupted\n');
  expect(await read()).toBe('replaced\n');
});

test('a second Ctrl-C does not wait, and the program runs to its end', async () => {
  const { ended, killGroup, read } = await start(60_000);
  killGroup('SIGINT');
  await sleep(250);
  killGroup('SIGINT');
  expect(await ended).toBe(130);
  await expect.poll(read, { timeout: 5_000 }).toBe('replaced\n');
});
