import { expect, test } from 'vitest';
import { createTasks } from '../../../src/commands/dashboard/tasks.ts';
import type { DashboardState } from '../../../src/dashboard/dashboard-state.ts';
import { CommandFailure } from '../../../src/lib/failure.ts';
import type { Exec } from '../../../src/tools/exec.ts';
import { ready } from '../../dashboard/recorded-state.ts';

function openTasks(exec: Exec) {
  let state: DashboardState = ready;
  const paths = { checkout: '/checkout', state: '/state', cache: '/cache', data: '/data' };
  const tasks = createTasks({
    app: { exec, paths, signal: new AbortController().signal },
    update: (change) => {
      state = change(state);
    },
  });
  return { tasks, list: () => Object.values(state.tasks) };
}

function fail(status: number, stdout: string, stderr = ''): never {
  throw new CommandFailure('node ended', { argv: ['node'], status, killedBy: undefined, stdout, stderr });
}

test('starts what a user would type, without --yes, as a run of the dashboard, and shows its progress', async () => {
  const seen: unknown[] = [];
  const { tasks, list } = openTasks(async (program, args, { env, onLine } = {}) => {
    seen.push([program, args, env?.WEALIST_TRIGGER]);
    onLine?.('10:20:30   auth-service: building');
    onLine?.('{"services":[]}');
    expect(list()).toMatchObject([{ kind: 'reload', lines: ['auth-service: building'] }]);
    expect(list()[0]).not.toHaveProperty('exitCode');
    return { stdout: '{"services":[]}', stderr: '' };
  });
  const result = await tasks.start({ action: 'reload', services: ['auth-service'] });
  expect(seen).toEqual([
    [process.execPath, ['/checkout/src/bin.js', 'reload', 'auth-service', '--json'], 'dashboard'],
  ]);
  expect(result).toEqual({ exitCode: 0, value: { services: [] } });
  expect(list()).toMatchObject([
    { command: 'npm run reload auth-service', exitCode: 0, end: expect.any(String) },
  ]);
});

test('a command that fails is not done: its exit code, and the failure that it has printed', async () => {
  const error = { message: 'another run is in progress', because: ['npm run up'], hint: 'wait' };
  const { tasks } = openTasks(async () => fail(10, JSON.stringify({ error })));
  expect(await tasks.start({ action: 'up' })).toMatchObject({
    exitCode: 10,
    error: { message: 'another run is in progress', because: 'npm run up', fix: 'wait' },
  });
});

test('a report with a failed check is a report, not a failure', async () => {
  const { tasks } = openTasks(async () => fail(3, '{"checks":[{"state":"fail"}],"changes":[]}'));
  const result = await tasks.ask('doctor', []);
  expect(result).toMatchObject({ exitCode: 3, value: { checks: [{ state: 'fail' }] } });
  expect(result.error).toBeUndefined();
});

test('what was stopped has ended with the exit code of SIGTERM', async () => {
  const { tasks, list } = openTasks(
    (_, __, { signal } = {}) =>
      new Promise((_done, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  );
  const ended = tasks.start({ action: 'watch', services: ['frontend'] });
  tasks.stop(list()[0]?.id ?? '');
  expect((await ended).exitCode).toBe(143);
});
