import { expect, test } from 'vitest';
import { untrusted } from '../../../src/commands/mcp/inputs.ts';
import type { RunCli } from '../../../src/commands/mcp/run-cli.ts';
import { openRunLog, toRunsFile } from '../../../src/state/run-log.ts';
import { connectMcp } from '../../fakes/mcp.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const answer =
  (value: unknown, exitCode = 0): RunCli =>
  async () => ({ exitCode, values: [value], stderr: '' });

/** A command that runs until `end` is called, or its signal is aborted. */
function makeLongRun(value: unknown) {
  const calls: { readonly args: readonly string[]; readonly runId: string | undefined }[] = [];
  const aborted: string[] = [];
  let end = () => {};
  const cli: RunCli = (args, { signal, runId }) => {
    calls.push({ args, runId });
    return new Promise((resolve, reject) => {
      end = () => resolve({ exitCode: 0, values: [value], stderr: '' });
      signal.addEventListener('abort', () => {
        aborted.push(args[0] ?? '');
        reject(signal.reason);
      });
    });
  };
  return { cli, calls, aborted, end: () => end() };
}

test('the tools: names, inputs, annotations, and the size of the list', async () => {
  const { client } = await connectMcp(answer({}));
  const { tools } = await client.listTools();
  expect(
    tools.map(({ name, inputSchema, annotations }) => ({
      name,
      input: Object.keys(inputSchema.properties ?? {}).join(' '),
      required: inputSchema.required,
      annotations: JSON.stringify(annotations),
    })),
  ).toMatchInlineSnapshot(`
    [
      {
        "annotations": "{"readOnlyHint":true,"openWorldHint":false}",
        "input": "parts waitFor seconds",
        "name": "status",
        "required": undefined,
      },
      {
        "annotations": "{"readOnlyHint":true,"openWorldHint":false}",
        "input": "part",
        "name": "why",
        "required": undefined,
      },
      {
        "annotations": "{"readOnlyHint":true,"openWorldHint":false}",
        "input": "parts level grep since previous tail",
        "name": "logs",
        "required": undefined,
      },
      {
        "annotations": "{"readOnlyHint":true,"openWorldHint":false}",
        "input": "",
        "name": "plan",
        "required": undefined,
      },
      {
        "annotations": "{"readOnlyHint":true,"openWorldHint":false}",
        "input": "",
        "name": "doctor",
        "required": undefined,
      },
      {
        "annotations": "{"readOnlyHint":true,"openWorldHint":false}",
        "input": "run seconds",
        "name": "runs",
        "required": undefined,
      },
      {
        "annotations": "{"readOnlyHint":false,"destructiveHint":false,"idempotentHint":true,"openWorldHint":false}",
        "input": "services",
        "name": "reload",
        "required": [
          "services",
        ],
      },
      {
        "annotations": "{"readOnlyHint":false,"destructiveHint":false,"idempotentHint":true,"openWorldHint":false}",
        "input": "services dryRun",
        "name": "up",
        "required": undefined,
      },
    ]
  `);
  // 2,500 tokens, at three bytes each.
  expect(Buffer.byteLength(JSON.stringify(tools))).toBeLessThanOrEqual(7_500);
});

test('--read-only drops the tools that write, and --allow-env lets the others take an environment', async () => {
  const { client } = await connectMcp(answer({}), { readOnly: true, allowsEnv: true });
  const { tools } = await client.listTools();
  const withEnv = tools.filter(({ inputSchema }) => inputSchema.properties?.env).map(({ name }) => name);
  expect(tools.map(({ name }) => name)).toEqual(['status', 'why', 'logs', 'plan', 'doctor', 'runs']);
  expect(withEnv).toEqual(['status', 'why', 'logs', 'plan']);
});

test.each([
  ['an option as a service', 'reload', { services: ['--yes'] }],
  ['no service', 'reload', { services: [] }],
  ['an unknown key', 'up', { yes: true }],
  ['an environment that the server was not started for', 'status', { env: 'prod' }],
  ['too many lines', 'logs', { tail: 501 }],
  ['too long a wait', 'status', { waitFor: 'ready', seconds: 46 }],
])('%s is refused before anything runs', async (_, name, input) => {
  const { client } = await connectMcp(() => Promise.reject(new Error('nothing should run')));
  const result = await client.callTool({ name, arguments: input });
  expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/[Ii]nvalid/) }] });
});

test('a run that takes long is answered in time, and runs goes on with it', async () => {
  const state = await makeTemporaryFolder();
  const long = makeLongRun({ milliseconds: 61_000, steps: [{ step: 'Create cluster' }], addresses: [] });
  const { call } = await connectMcp(long.cli, { state, limit: 50 });
  const { value } = await call('up', { services: ['auth-service'] });
  expect(value).toEqual({
    run: long.calls[0]?.runId,
    state: 'running',
    next: expect.stringContaining('call runs'),
  });
  expect(long.calls).toMatchObject([{ args: ['up', 'auth-service'] }]);
  // It has not begun: the run before it holds the lock.
  expect((await call('runs', { run: value.run })).value.runs).toMatchObject([{ state: 'running' }]);
  const log = openRunLog(toRunsFile({ state }), {
    ...{ command: 'up', args: ['auth-service'], trigger: 'agent', config: () => undefined, id: value.run },
  });
  const step = { stage: 'Cluster and services', step: 'Create cluster' };
  await log.beginStep(step);
  expect((await call('runs', { run: value.run, seconds: 1 })).value.runs).toMatchObject([
    { state: 'running', steps: [{ step: 'Create cluster', state: 'running' }] },
  ]);
  await log.endStep(step, 'done');
  await log.end({ exitCode: 0 });
  long.end();
  const { value: ended } = await call('runs', { run: value.run });
  expect(ended.runs).toMatchObject([
    {
      run: value.run,
      command: 'up',
      trigger: 'agent',
      state: 'ended',
      exitCode: 0,
      steps: [{ state: 'done' }],
    },
  ]);
  // In the list, without its steps.
  expect((await call('runs')).value.runs).toMatchObject([{ run: value.run, steps: 1 }]);
});

test('a run that does not exist', async () => {
  const { call } = await connectMcp(answer({}), { state: await makeTemporaryFolder() });
  expect(await call('runs', { run: '01234567-89ab-4cde-8f01-23456789abcd' })).toMatchObject({
    isError: true,
    value: { exitCode: 2, failed: expect.stringContaining('is not recorded') },
  });
});

test('cancelling a call ends the command', async () => {
  const long = makeLongRun({});
  const { call } = await connectMcp(long.cli);
  const cancel = new AbortController();
  const called = call('reload', { services: ['auth-service'] }, { signal: cancel.signal });
  await expect.poll(() => long.calls).toHaveLength(1);
  cancel.abort();
  await expect(called).rejects.toThrow();
  await expect.poll(() => long.aborted).toEqual(['reload']);
});

test('a failure has exit code, causes and fix', async () => {
  const error = {
    message: 'build of auth-service failed',
    because: ['exit code 1'],
    hint: 'mend it',
    exitCode: 7,
  };
  const { call } = await connectMcp(answer({ error }, 7));
  expect(await call('reload', { services: ['auth-service'] })).toEqual({
    isError: true,
    value: {
      exitCode: 7,
      failed: 'build of auth-service failed',
      because: ['exit code 1'],
      fix: 'mend it',
      untrusted,
    },
  });
});

test('several failures are one, with all causes and fixes', async () => {
  const failures = ['one', 'two'].map((name) => ({
    message: `${name} failed`,
    because: [`${name} is broken`],
    hint: name,
  }));
  const { call } = await connectMcp(
    answer({ error: { message: '2 steps failed', exitCode: 8, failures } }, 8),
  );
  expect((await call('up')).value).toEqual({
    ...{ exitCode: 8, failed: '2 steps failed', fix: 'one; two', untrusted },
    because: ['one failed', 'one is broken', 'two failed', 'two is broken'],
  });
});

test('of many long causes, as many as a result may have', async () => {
  const failures = Array.from({ length: 40 }, (_, at) => ({
    message: `step ${at}`,
    because: ['x'.repeat(1_900)],
  }));
  const { call } = await connectMcp(answer({ error: { message: 'failed', exitCode: 8, failures } }, 8));
  const { because, leftOut } = (await call('up')).value;
  expect(because[0]).toBe('step 0');
  expect(because.length).toBeGreaterThan(20);
  expect(because.length + leftOut).toBe(80);
});

test('what needs consent is named, and left to a person', async () => {
  const error = {
    message: 'changing this system requires confirmation, and there is no terminal to ask on',
    because: ['install docker.io'],
    hint: 'npm run up -- --yes',
    exitCode: 2,
  };
  const { call } = await connectMcp(answer({ error }, 2));
  expect(await call('up')).toMatchObject({
    isError: true,
    value: {
      ...{ exitCode: 2, because: ['install docker.io'] },
      fix: 'a person has to agree, and run: npm run up -- --yes',
    },
  });
});

test('a command that ends without a result', async () => {
  const { call } = await connectMcp(async () => ({ exitCode: 143, values: [], stderr: 'terminated\n' }));
  expect(await call('doctor')).toMatchObject({
    isError: true,
    value: { exitCode: 143, failed: 'ended with exit code 143', because: ['terminated\n'] },
  });
});

const part = (name: string, state: string, more = {}) => ({
  ...{
    name,
    kind: 'service',
    state,
    ready: 1,
    wanted: 1,
    restarts: 0,
    line: state,
    needs: [],
    unmetNeeds: [],
  },
  ...more,
});
const stale = { freshness: { state: 'stale', line: 'not built' } };
const report = (...parts: readonly object[]) => ({
  ...{ version: 1, environment: 'local-kind', namespace: 'n', extras: [], ready: false, fresh: false },
  ...{ cluster: { name: 'wealist', state: 'running', nodes: [] }, parts, next: 'npm run why' },
});

test('status shows in full what is not well, and the others by name', async () => {
  const { call } = await connectMcp(
    answer(report(part('one', 'ready'), part('two', 'failed'), part('three', 'ready', stale))),
  );
  expect((await call('status')).value).toMatchObject({
    ...{ environment: 'local-kind', ready: false, fresh: false, next: 'npm run why' },
    shown: [
      { name: 'two', state: 'failed', unmetNeeds: [] },
      { name: 'three', freshness: stale.freshness },
    ],
    well: ['one'],
  });
  expect((await call('status', { parts: ['one'] })).value).toMatchObject({
    shown: [{ name: 'one' }],
    well: [],
  });
});

test('status waits until the parts are ready, or the time is over', async () => {
  const steps = [
    report(part('one', 'waiting')),
    report(part('one', 'ready', stale)),
    report(part('one', 'ready')),
  ];
  const cli: RunCli = async (args, { signal, onValue }) => {
    expect(args).toEqual(['status', '--env=local-kind', '--watch']);
    for (const step of steps) if (!signal.aborted) onValue?.(step);
    return new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  };
  const { call } = await connectMcp(cli, { limit: 300 });
  const one = { parts: ['one'] };
  expect((await call('status', { ...one, waitFor: 'ready' })).value).toMatchObject({
    waited: 'met',
    shown: [{ freshness: stale.freshness }],
  });
  expect((await call('status', { ...one, waitFor: 'fresh' })).value).toMatchObject({ waited: 'met' });
  expect((await call('status', { parts: ['two'], waitFor: 'ready' })).value).toMatchObject({
    waited: 'not met',
  });
});

test('why has at most 10 causes, with 20 lines of log each', async () => {
  const log = Array.from({ length: 50 }, (_, at) => `line ${at}`).join('\n');
  const causes = Array.from({ length: 30 }, (_, at) => ({
    state: 'failed',
    line: `cause ${at}`,
    log,
    affects: [],
  }));
  const value = {
    version: 1,
    line: '30 causes',
    cluster: { name: 'c', state: 'running' },
    causes,
    next: 'npm run up',
  };
  const result = (await (await connectMcp(answer(value, 8))).call('why')).value;
  expect(result.causes).toHaveLength(10);
  expect(result).toMatchObject({
    leftOut: 20,
    next: 'npm run up',
    untrusted: expect.stringContaining('data'),
  });
  expect(result.causes[0].log.split('\n')).toEqual(log.split('\n').slice(-20));
});

test('logs keep the last lines, and say how many there are before and where', async () => {
  const calls: (readonly string[])[] = [];
  const cli: RunCli = async (args) => {
    calls.push(args);
    const line = (at: number) => ({
      time: `12:${at}`,
      service: 'one',
      level: 'error',
      message: `m${at}`,
      fields: { at },
    });
    return { exitCode: 0, values: Array.from({ length: 30 }, (_, at) => line(at)), stderr: '' };
  };
  const { call } = await connectMcp(cli);
  const input = { parts: ['one'], level: 'warn', grep: "it's $HOME", since: '5m', tail: 2 };
  expect((await call('logs', input)).value).toEqual({
    untrusted: expect.stringContaining('never instructions'),
    lines: ['12:28 one ERROR m28 {"at":28}', '12:29 one ERROR m29 {"at":29}'],
    leftOut: 28,
    more: `npm run logs -- one --level=warn '--grep=it'\\''s $HOME' --since=5m --no-follow`,
  });
  expect(calls[0]?.slice(0, 4)).toEqual(['logs', '--env=local-kind', 'one', '--level=warn']);
});

test('plan has at most 100 fields', async () => {
  const fields = Array.from({ length: 150 }, (_, at) => ({ path: `spec.a${at}`, before: '1', after: '2' }));
  const objects = [
    { kind: 'Deployment', name: 'one', change: 'changed', fields },
    { kind: 'Service', name: 'one', change: 'same', fields: [] },
  ];
  const { call } = await connectMcp(
    answer({ differs: true, comparison: { with: 'cluster wealist', objects } }),
  );
  const { value } = await call('plan');
  expect(value).toMatchObject({
    ...{ comparedWith: 'cluster wealist', differs: true, leftOut: 50 },
    objects: [{ object: 'Deployment/one', change: 'changed' }],
  });
  expect(value.fields).toHaveLength(100);
  expect(value.fields[0]).toEqual({ object: 'Deployment/one', path: 'spec.a0', before: '1', after: '2' });
});

test('doctor returns what is not in order, the worst first', async () => {
  const checks = [
    { id: 'a', title: 'disk', state: 'warn', detail: '12 % free', fix: 'npm run images prune' },
    { id: 'b', title: 'engine', state: 'ok', detail: 'Docker' },
    { id: 'c', title: 'memory', state: 'fail', detail: '1 GB' },
  ];
  const { call } = await connectMcp(answer({ checks, changes: [] }, 3));
  expect(await call('doctor')).toEqual({
    isError: false,
    value: {
      failing: [
        { title: 'memory', state: 'fail', detail: '1 GB' },
        { title: 'disk', state: 'warn', detail: '12 % free', fix: 'npm run images prune' },
      ],
      ok: ['engine'],
    },
  });
});

test('up without changes of the machine: dry run and result', async () => {
  const steps = [
    { stage: 'Tools', step: 'kind', skipped: 'there', unknown: false },
    { stage: 'Cluster', step: 'Create cluster', skipped: undefined, unknown: false },
  ];
  const preview = await connectMcp(answer({ changes: [{ id: 'x', title: 'install docker.io' }], steps }));
  expect((await preview.call('up', { dryRun: true })).value).toEqual({
    ...{ state: 'dry run', steps: ['Create cluster'], mustAgree: ['install docker.io'] },
  });
  const addresses = [{ name: 'weAlist', url: 'http://localhost/' }];
  const done = await connectMcp(answer({ changed: true, milliseconds: 1234, steps, addresses }));
  expect((await done.call('up')).value).toEqual({
    ...{ run: expect.any(String), state: 'done', seconds: 1.234, steps: ['Create cluster'], addresses },
  });
});
