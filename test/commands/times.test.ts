import { expect, test } from 'vitest';
import { command } from '../../src/commands/times.ts';
import { openRunLog, toRunsFile } from '../../src/state/run-log.ts';
import { makeApp } from '../fakes/app.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const entry = { summary: '', load: () => Promise.reject(new Error('not needed')) };

async function runTimes(wanted: string | undefined, options: { json?: boolean; terminal?: boolean } = {}) {
  const state = await makeTemporaryFolder();
  const { app, stdout } = makeApp({ state, ...options });
  const commands = { up: entry, reload: entry, down: entry };
  const run = async () => {
    await command.run({ ...app, commands }, { command: wanted });
    return stdout();
  };
  const record = async (builds: readonly number[]) => {
    for (const build of builds) {
      const log = openRunLog(toRunsFile({ state }), {
        ...{ command: 'reload', args: ['auth-service'], trigger: 'npm', config: () => undefined },
      });
      const step = { stage: 'Reload', step: 'auth-service' };
      await log.beginStep(step);
      log.endPhase(step, 'build', build);
      await log.endStep(step, 'done');
      await log.end({ exitCode: 0 });
    }
  };
  return { run, record };
}

test('a table for each command, with bars on a terminal, and what has become slower', async () => {
  const { run, record } = await runTimes(undefined, { terminal: true });
  await record([800, 900, 800, 850, 3_000]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours.
  const text = (await run()).replaceAll(/\x1b\[\d+m/g, '');
  expect(text).toMatch(/^reload {2}5 runs, the last \d s ago\n {2}step +last +median +runs\n/);
  expect(text).toMatch(/\n {2}whole run +\d\.\d s +\d\.\d s +5\n/);
  expect(text).toMatch(/\n {4}build +3\.0 s +0\.8 s +5 {2}█{30}\n/);
  expect(text).toMatch(
    /\n❯ slower {2}reload: auth-service, build: 3\.0 s instead of 0\.8 s in the 4 runs before\n$/,
  );
});

test('without bars where the output is no terminal', async () => {
  const { run, record } = await runTimes('reload');
  await record([800]);
  expect(await run()).toMatch(/\n {4}build +0\.8 s +- +1\n$/);
});

test('the same as JSON', async () => {
  const { run, record } = await runTimes('reload', { json: true });
  await record([800, 900]);
  expect(JSON.parse(await run())).toMatchObject({
    version: 1,
    commands: [
      { command: 'reload', runs: 2, steps: [{ phases: [{ phase: 'build', last: 0.9, median: 0.8 }] }] },
    ],
  });
});

test('without a recorded run', async () => {
  expect(await (await runTimes(undefined)).run()).toBe(
    'no run of any command is recorded in this checkout\n',
  );
  expect(await (await runTimes('down')).run()).toBe('no run of down is recorded in this checkout\n');
});

test('a word that is not a command', async () => {
  await expect((await runTimes('relaod')).run()).rejects.toMatchObject({
    message: '"relaod" is not a command',
    hint: 'npm run wealist -- times reload',
    exitCode: 2,
  });
});
