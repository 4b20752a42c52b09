import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hideSecrets } from '../../src/lib/secret-values.ts';
import { openRunLog, type RunLogOptions, toRunsFile } from '../../src/state/run-log.ts';
import { findInterrupted, listRuns } from '../../src/state/runs.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const step = (name: string) => ({ stage: 'Cluster', step: name });
const options: RunLogOptions = {
  ...{ command: 'up', args: ['--with', 'monitoring'], trigger: 'npm', config: () => 'c0ffee' },
};

async function makeState() {
  const state = await makeTemporaryFolder();
  const path = toRunsFile({ state });
  const open = (more: Partial<RunLogOptions> = {}) => openRunLog(path, { ...options, ...more });
  return { state, path, open };
}

/** A run of a process that has ended without recording an end, with `begun` steps of which `done` have ended. */
async function recordKilled(state: string, begun: readonly string[], done: readonly string[] = []) {
  const script = `
    const { openRunLog, toRunsFile } = await import(process.argv[1]);
    const log = openRunLog(toRunsFile({ state: process.argv[2] }), {
      ...{ command: 'up', args: [], trigger: 'npm', config: () => undefined },
    });
    const [begun, done] = JSON.parse(process.argv[3]);
    for (const step of begun) await log.beginStep({ stage: 'Cluster', step });
    for (const step of done) await log.endStep({ stage: 'Cluster', step }, 'done');
    process.kill(process.pid, 'SIGKILL');
  `;
  const source = join(import.meta.dirname, '../../src/state/run-log.ts');
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const child = spawn(process.execPath, [...args, source, state, JSON.stringify([begun, done])], {
    stdio: 'inherit',
  });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
}

test('keeps command, arguments, trigger, steps with seconds and phases, and the exit code', async () => {
  const { state, path, open } = await makeState();
  const log = open();
  log.begin();
  await log.beginStep(step('Create cluster'));
  log.endPhase(step('Create cluster'), 'kubeadm', 1234.4);
  await log.endStep(step('Create cluster'), 'done');
  await log.beginStep(step('Load images'));
  await log.endStep(step('Load images'), 'failed');
  await log.end({ exitCode: 7, failure: { message: 'no such image', hint: 'npm run images' } });
  expect(await listRuns({ state })).toEqual([
    {
      ...{ id: log.id, command: 'up', args: ['--with', 'monitoring'], trigger: 'npm', state: 'ended' },
      ...{ pid: process.pid, begun: expect.stringMatching(/^20.*Z$/), seconds: expect.any(Number) },
      ...{ exitCode: 7, failure: { message: 'no such image', hint: 'npm run images' } },
      steps: [
        {
          ...{ ...step('Create cluster'), state: 'done', seconds: expect.any(Number) },
          ...{ begun: expect.stringMatching(/Z$/), phases: [{ name: 'kubeadm', seconds: 1.234 }] },
        },
        expect.objectContaining({ ...step('Load images'), state: 'failed', phases: [] }),
      ],
    },
  ]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('a run that does not begin writes nothing', async () => {
  const { state, open } = await makeState();
  await open().end({ exitCode: 2 });
  expect(await readdir(state)).toEqual([]);
  expect(await listRuns({ state })).toEqual([]);
});

test('a run whose process lives is running', async () => {
  const { state, open } = await makeState();
  const log = open();
  await log.beginStep(step('Create cluster'));
  expect(await listRuns({ state })).toMatchObject([
    { state: 'running', exitCode: undefined, steps: [{ state: 'running', seconds: undefined }] },
  ]);
  expect(await findInterrupted({ state }, 'another')).toEqual([]);
});

test('names the steps that the last run was killed in', async () => {
  const { state, open } = await makeState();
  await recordKilled(state, ['Of an earlier run']);
  await recordKilled(state, ['Create cluster', 'Build auth-service'], ['Build auth-service']);
  const [last] = await listRuns({ state });
  expect(last).toMatchObject({ state: 'interrupted', exitCode: undefined });
  const next = open();
  expect(await findInterrupted({ state }, next.id)).toMatchObject([step('Create cluster')]);
  // The next run ends without a step, since all were done.
  next.begin();
  await next.end({ exitCode: 0 });
  expect(await findInterrupted({ state }, 'the one after')).toEqual([]);
});

test('a line cut off in the middle costs that line only, and lines of another version are skipped', async () => {
  const { state, path, open } = await makeState();
  const one = open();
  await one.beginStep(step('One'));
  await appendFile(path, `\n{"version":1,"run":"${one.id}","at":"20`);
  await one.endStep(step('One'), 'done');
  await appendFile(
    path,
    `\n{"version":2,"run":"${one.id}","at":"2026-11-30T00:00:00Z","event":"end","exitCode":1}`,
  );
  await appendFile(
    path,
    `\n{"version":1,"run":"${one.id}","at":"2026-11-30T00:00:00Z","event":"end","exitCode":"1"}`,
  );
  expect(await listRuns({ state })).toMatchObject([{ exitCode: undefined, steps: [{ state: 'done' }] }]);
});

test('a program that goes on with a run adds to it', async () => {
  const { state, open } = await makeState();
  const first = open({ begunAt: Date.now() - 5_000 });
  await first.beginStep(step('Install engine'));
  await first.endStep(step('Install engine'), 'done');
  const second = open({ id: first.id });
  await second.beginStep(step('Create cluster'));
  await second.endStep(step('Create cluster'), 'done');
  await second.end({ exitCode: 0 });
  await first.end({ exitCode: 0 });
  const [run, ...others] = await listRuns({ state });
  expect(others).toEqual([]);
  expect(run?.steps.map(({ step }) => step)).toEqual(['Install engine', 'Create cluster']);
  expect(run?.seconds).toBeGreaterThanOrEqual(5);
});

test('the file is bounded: one previous file is kept, and a run that goes on is known in the new one', async () => {
  const { state, path, open } = await makeState();
  const long = open({ command: 'reload' });
  await long.beginStep(step('Before'));
  for (const file of ['first', 'second']) {
    await appendFile(path, `\n${file.repeat(120_000)}`);
    await long.beginStep(step(`In the ${file}`));
  }
  expect((await readdir(state)).sort()).toEqual(['runs.ndjson', 'runs.ndjson.lock', 'runs.ndjson.old']);
  expect((await readFile(path, 'utf8')).length).toBeLessThan(1_000);
  expect(await listRuns({ state })).toMatchObject([
    { id: long.id, command: 'reload', steps: [step('In the first'), step('In the second')] },
  ]);
});

test('runs that end at once lose no entry, and rotate the file once', async () => {
  const { state, path, open } = await makeState();
  const previous = `\n${'x'.repeat(512 * 1024 + 1)}`;
  await writeFile(path, previous);
  const logs = Array.from({ length: 20 }, (_, at) => open({ args: [`service-${at}`] }));
  await Promise.all(
    logs.map(async (log) => {
      await log.beginStep(step('One'));
      await log.endStep(step('One'), 'done');
      await log.end({ exitCode: 0 });
    }),
  );
  const runs = await listRuns({ state });
  expect(runs.map(({ args: [name] }) => name).sort()).toEqual(logs.map((_, at) => `service-${at}`).sort());
  expect(new Set(runs.map(({ exitCode }) => exitCode))).toEqual(new Set([0]));
  expect((await readFile(`${path}.old`, 'utf8')).startsWith(previous)).toBe(true);
});

test('what follows a -- of its own, and secrets, are not recorded', async () => {
  const { state, path, open } = await makeState();
  hideSecrets(['CANARY-7f3a-value']);
  const log = open({ command: 'db', args: ['user-service', '--', '--command', "alter user x password 'p'"] });
  log.begin();
  await log.end({ exitCode: 1, failure: { message: `refused: CANARY-7f3a-value, ${'x'.repeat(5_000)}` } });
  const [run] = await listRuns({ state });
  expect(run?.args).toEqual(['user-service']);
  expect(run?.failure?.message).toMatch(/^refused: \*\*\*, x+…$/);
  const text = await readFile(path, 'utf8');
  expect(text).not.toContain('CANARY');
  expect(text.length).toBeLessThan(2_000);
});

test('a file that cannot be written ends no run, and is reported once', async () => {
  const { path, open } = await makeState();
  await mkdir(path);
  const errors: unknown[] = [];
  const log = open({ onUnwritable: (error) => errors.push(error) });
  await Promise.all([log.beginStep(step('One')), log.beginStep(step('Two'))]);
  await log.endStep(step('One'), 'done');
  await log.end({ exitCode: 0 });
  expect(errors).toMatchObject([{ code: 'EISDIR' }]);
});

test('a file that cannot be rotated is continued', async () => {
  const { state, path, open } = await makeState();
  await writeFile(path, 'x'.repeat(512 * 1024 + 1));
  await mkdir(join(`${path}.old`, 'folder'), { recursive: true });
  const errors: unknown[] = [];
  const log = open({ onUnwritable: (error) => errors.push(error) });
  await log.beginStep(step('One'));
  await log.endStep(step('One'), 'done');
  expect(await readFile(path, 'utf8')).toContain('"event":"step done"');
  expect(errors).toHaveLength(1);
  expect(await readdir(state)).toContain('runs.ndjson.old');
});
