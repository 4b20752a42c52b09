import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { listDescendants } from '../../src/lib/processes.ts';
import { exec } from '../../src/tools/exec.ts';
import { createHelm } from '../../src/tools/helm.ts';

afterEach(() => void vi.useRealTimers());

/** Lets five seconds pass for the looks at the processes, which read the real ones. */
async function passFiveSeconds(): Promise<void> {
  vi.advanceTimersByTime(5_000);
  await sleep(100);
}

async function passHalfMinute(): Promise<void> {
  for (let at = 0; at < 6; at++) await passFiveSeconds();
}

/** The program that this test runs, once it has started. Never 0: a signal to that stops this process and its group. */
async function findProgram(): Promise<number> {
  let found: number | undefined;
  await expect
    .poll(async () => {
      found = (await listDescendants(process.pid)).find((each) => !each.isStopped)?.pid;
      return found;
    })
    .toBeDefined();
  if (found === undefined) throw new Error('the program has ended');
  return found;
}

test('a stopped helm is named and killed', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const helm = createHelm((_program, _args, options) => exec('sleep', ['60'], options), {
    ...{ program: 'helm', kubeconfig: '', context: '' },
  });
  const failure = helm
    .rollback('auth-service', 'wealist', new AbortController().signal)
    .catch((error: unknown) => error);
  process.kill(await findProgram(), 'SIGSTOP');
  await passHalfMinute();
  expect(await failure).toMatchObject({
    message: 'helm did not finish with release auth-service',
    cause: { message: 'sleep was killed: a signal had stopped it for 30 s' },
    hint: 'npm run up',
  });
}, 20_000);

test('a program that was stopped only for a while goes on', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  // Ends with its input, however long the rest takes.
  const input = new PassThrough();
  const result = exec('cat', [], { input });
  const pid = await findProgram();
  process.kill(pid, 'SIGSTOP');
  for (let at = 0; at < 5; at++) await passFiveSeconds();
  process.kill(pid, 'SIGCONT');
  await passFiveSeconds();
  process.kill(pid, 'SIGSTOP');
  await passFiveSeconds();
  process.kill(pid, 'SIGCONT');
  input.end();
  await result;
}, 20_000);

test('a program that must not stop in the middle is spared', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const input = new PassThrough();
  const result = exec('cat', [], { input, runsToEnd: true });
  const pid = await findProgram();
  process.kill(pid, 'SIGSTOP');
  await passHalfMinute();
  process.kill(pid, 'SIGCONT');
  input.end();
  await result;
}, 20_000);
