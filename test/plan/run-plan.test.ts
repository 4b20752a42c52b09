import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { type ExitCode, exitCodes, Failure } from '../../src/lib/failure.ts';
import type { Plan, Run, Step } from '../../src/plan/plan.ts';
import { previewPlan } from '../../src/plan/preview-plan.ts';
import { runPlan } from '../../src/plan/run-plan.ts';
import { showPreview, showProgress } from '../../src/ui/progress.ts';
import { createScreen as createPlainScreen } from '../fakes/screen.ts';

const { signal } = new AbortController();

/** A screen with all that plans are shown by. */
function createScreen(options?: Parameters<typeof createPlainScreen>[0]) {
  const screen = createPlainScreen(options);
  return { ...screen, ...showProgress(screen.ui), onStep: showPreview(screen.ui) };
}

/** Steps that write down what they do in `done`. */
function createSteps() {
  const done: string[] = [];
  const step = (title: string, apply: (run: Run) => Promise<void> = async () => {}): Step => ({
    title,
    async apply(run) {
      await apply(run);
      done.push(title);
    },
  });
  return { done, step };
}

const fail =
  (message: string, exitCode: ExitCode = exitCodes.cluster) =>
  async () => {
    throw new Failure(message, { exitCode });
  };

for (const terminal of [false, true]) {
  const where = terminal ? 'on a terminal' : 'in lines';

  test(`${where}: stages one after the other, the steps of one at once`, async () => {
    const { done, step } = createSteps();
    const plan: Plan = [
      { title: 'First', steps: [step('slow', () => sleep(20)), step('fast')] },
      { title: 'Second', steps: [step('last')] },
    ];
    const { steps, milliseconds } = await runPlan(plan, { ...createScreen({ terminal }), signal });
    expect(done).toEqual(['fast', 'slow', 'last']);
    expect(steps.map(({ stage, step }) => `${stage}: ${step}`)).toEqual([
      'First: slow',
      'First: fast',
      'Second: last',
    ]);
    expect(steps[0]?.milliseconds).toBeGreaterThanOrEqual(19);
    expect(milliseconds).toBeGreaterThanOrEqual(Number(steps[0]?.milliseconds));
  });

  test(`${where}: a step that is done is not shown, and its reason is passed on`, async () => {
    const { done, step } = createSteps();
    const plan = [
      { title: 'Engine', steps: [{ ...step('Start Docker'), isDone: async () => 'Docker 28 answers' }] },
    ];
    const screen = createScreen({ terminal });
    const { steps } = await runPlan(plan, { ...screen, signal });
    expect(done).toEqual([]);
    expect(steps).toMatchObject([{ step: 'Start Docker', skipped: 'Docker 28 answers' }]);
    expect(screen.stderr()).toBe('');

    const verbose = createScreen({ terminal, verbose: true });
    await runPlan(plan, { ...verbose, signal });
    expect(verbose.stderr()).toContain('Docker 28 answers');
  });

  test(`${where}: the results keep the plan's order, also when steps were skipped`, async () => {
    const { step } = createSteps();
    const skipped = { ...step('there'), isDone: async () => 'unchanged' };
    const plan = [{ title: 'Only', steps: [step('one'), skipped, step('two')] }];
    const { steps } = await runPlan(plan, { ...createScreen({ terminal }), signal });
    expect(steps.map((each) => each.step)).toEqual(['one', 'there', 'two']);
  });

  test(`${where}: after a failure the stage ends, the next one does not begin`, async () => {
    const { done, step } = createSteps();
    const plan = [
      { title: 'First', steps: [step('broken', fail('no node')), step('slow', () => sleep(20))] },
      { title: 'Second', steps: [step('never')] },
    ];
    const screen = createScreen({ terminal });
    await expect(runPlan(plan, { ...screen, signal })).rejects.toThrow('no node');
    expect(done).toEqual(['slow']);
    expect(screen.stderr()).toContain('✗');
  });

  test(`${where}: secrets and escape sequences in progress do not reach the screen`, async () => {
    const screen = createScreen({ terminal });
    const report = async (run: Run) => run.report('\x1b]52;c;Zm9v\x07pulling\x1b[2J');
    await runPlan([{ title: 'Images', steps: [createSteps().step('Pull', report)] }], { ...screen, signal });
    expect(screen.stderr()).not.toContain('\x1b]52');
    expect(screen.stderr()).not.toContain('\x1b[2J');
  });
}

test('several failures of a stage become one that lists them, with the first exit code', async () => {
  const { step } = createSteps();
  const plan = [
    { title: 'Build', steps: [step('a', fail('a broke', exitCodes.image)), step('b', fail('b broke'))] },
  ];
  const failure = await runPlan(plan, { ...createScreen(), signal }).catch((error) => error);
  expect(failure).toMatchObject({ message: '2 steps failed', exitCode: exitCodes.image });
  expect(failure.cause.errors.map(({ message }: Error) => message)).toEqual(['a broke', 'b broke']);
});

test('a bug among failures is thrown as it is', async () => {
  const { step } = createSteps();
  const bug = async () => {
    throw new TypeError('undefined is not a function');
  };
  const plan = [{ title: 'Build', steps: [step('a', fail('a broke')), step('b', bug)] }];
  await expect(runPlan(plan, { ...createScreen(), signal })).rejects.toBeInstanceOf(TypeError);
});

test('once aborted, no stage begins, and the run throws the reason', async () => {
  const { done, step } = createSteps();
  const run = new AbortController();
  const reason = new Failure('interrupted', { exitCode: exitCodes.interrupted });
  const interrupted = async () => {
    run.abort(reason);
    throw new Failure('kind was ended by SIGTERM');
  };
  const plan = [
    { title: 'First', steps: [step('Create cluster', interrupted)] },
    { title: 'Second', steps: [step('never')] },
  ];
  await expect(runPlan(plan, { ...createScreen(), signal: run.signal })).rejects.toBe(reason);
  expect(done).toEqual([]);
});

test('failures before the abort are reported with it', async () => {
  const { step } = createSteps();
  const run = new AbortController();
  const reason = new Failure('interrupted', { exitCode: exitCodes.interrupted });
  const interrupted = async () => {
    await sleep(5);
    run.abort(reason);
    throw new Failure('docker build was ended by SIGTERM');
  };
  const plan = [
    { title: 'First', steps: [step('Create cluster', fail('no node')), step('Build', interrupted)] },
  ];
  const failure = await runPlan(plan, { ...createScreen(), signal: run.signal }).catch((error) => error);
  expect(failure.cause.errors).toEqual([expect.objectContaining({ message: 'no node' }), reason]);
});

test('an abort between two stages ends the run although no step failed', async () => {
  const { done, step } = createSteps();
  const run = new AbortController();
  const plan = [
    { title: 'First', steps: [step('one', async () => run.abort(new Failure('interrupted')))] },
    { title: 'Second', steps: [step('never')] },
  ];
  await expect(runPlan(plan, { ...createScreen(), signal: run.signal })).rejects.toThrow('interrupted');
  expect(done).toEqual(['one']);
});

/** A step that lasts until the one that it needs has failed. */
const waitForNeed = async ({ needFailed }: Run) => {
  if (!needFailed?.aborted) await once(needFailed as AbortSignal, 'abort');
  throw needFailed?.reason;
};

for (const terminal of [false, true]) {
  const where = terminal ? 'on a terminal' : 'in lines';

  test(`${where}: a step that needs another one begins after it only where it says so`, async () => {
    const { done, step } = createSteps();
    const steps: Step[] = [
      { ...step('last'), needs: ['middle', 'done before'], beginsAfterNeeds: true },
      { ...step('at once'), needs: ['first'] },
      { ...step('middle'), needs: ['first'], beginsAfterNeeds: true },
      step('first', () => sleep(20)),
    ];
    const skipped: Step = { ...step('done before'), isDone: async () => 'there' };
    await runPlan([{ title: 'Only', steps: [...steps, skipped] }], { ...createScreen({ terminal }), signal });
    expect(done).toEqual(['at once', 'first', 'middle', 'last']);
  });

  test(`${where}: when it fails, those that need it end or do not begin, and only its failure is reported`, async () => {
    const { done, step } = createSteps();
    const begun: string[] = [];
    const steps: Step[] = [
      { ...step('never'), needs: ['waits'], beginsAfterNeeds: true },
      { ...step('waits', waitForNeed), needs: ['broken'] },
      { ...step('needs nothing', () => sleep(20)) },
      step('broken', () => sleep(10).then(fail('no disk'))),
    ];
    const screen = createScreen({ terminal });
    const hooks = { onBegin: async (_: unknown, { title }: Step) => void begun.push(title) };
    const running = runPlan([{ title: 'Only', steps }], { ...screen, signal, ...hooks });
    await expect(running).rejects.toThrow('no disk');
    expect(begun).toEqual(['waits', 'needs nothing', 'broken']);
    expect(done).toEqual(['needs nothing']);
    // Each names the step that is at fault, and not the one between.
    const shown = stripVTControlCharacters(screen.stderr());
    expect(shown).toContain(terminal ? '✗ waits  needs broken' : '✗ waits (needs broken)');
    expect(shown).toContain(terminal ? '✗ never  needs broken' : '✗ never (needs broken)');
  });
}

test('a step that succeeds although one that it needs has failed is done', async () => {
  const done: string[] = [];
  const { step } = createSteps();
  const steps: Step[] = [
    { ...step('deploys', () => sleep(20)), needs: ['broken'] },
    step('broken', fail('no disk')),
  ];
  const hooks = { onDone: async (_: unknown, { title }: Step) => void done.push(title) };
  await expect(runPlan([{ title: 'Only', steps }], { ...createScreen(), signal, ...hooks })).rejects.toThrow(
    'no disk',
  );
  expect(done).toEqual(['deploys']);
});

test('an abort ends a step that waits to begin', async () => {
  const run = new AbortController();
  const { done, step } = createSteps();
  const steps: Step[] = [
    { ...step('waits'), needs: ['slow'], beginsAfterNeeds: true },
    step('slow', async ({ signal }) => {
      run.abort(new Failure('interrupted'));
      signal.throwIfAborted();
    }),
  ];
  const running = runPlan([{ title: 'Only', steps }], { ...createScreen(), signal: run.signal });
  await expect(running).rejects.toThrow('interrupted');
  expect(done).toEqual([]);
});

test('hooks are called before and after a step is applied, and not for a skipped one', async () => {
  const events: string[] = [];
  const step = (title: string, extra: Partial<Step> = {}): Step => ({
    title,
    apply: async () => void events.push(`apply ${title}`),
    ...extra,
  });
  const plan = [
    { title: 'First', steps: [step('one')] },
    { title: 'Second', steps: [step('two', { isDone: async () => 'there' })] },
    { title: 'Third', steps: [step('three', { apply: fail('broken') })] },
  ];
  const hooks = {
    onBegin: async (_: unknown, { title }: Step) => void events.push(`begin ${title}`),
    onDone: async (_: unknown, { title }: Step) => void events.push(`done ${title}`),
    async onFailed(_: unknown, { title }: Step) {
      events.push(`failed ${title}`);
      throw new Error('the disk is full');
    },
  };
  await expect(runPlan(plan, { ...createScreen(), signal, ...hooks })).rejects.toThrow('broken');
  expect(events).toEqual(['begin one', 'apply one', 'done one', 'begin three', 'failed three']);
});

test('lines have the time, and progress is throttled except under --verbose', async () => {
  const { step } = createSteps();
  const build = step('Build image', async ({ report }) => {
    report('layer 1');
    report('layer 2');
  });
  const quiet = createScreen();
  await runPlan([{ title: 'Build', steps: [build] }], { ...quiet, signal });
  expect(quiet.stderr().split('\n')).toEqual([
    expect.stringMatching(/^\d\d:\d\d:\d\d ❯ Build image$/),
    expect.stringMatching(/^\d\d:\d\d:\d\d {3}Build image: layer 1$/),
    expect.stringMatching(/^\d\d:\d\d:\d\d ✔ Build image \(0\.0 s\)$/),
    '',
  ]);
  const verbose = createScreen({ verbose: true });
  await runPlan([{ title: 'Build', steps: [build] }], { ...verbose, signal });
  expect(verbose.stderr()).toContain('Build image: layer 2');
});

test('under --quiet nothing is shown', async () => {
  const screen = createScreen({ quiet: true, terminal: true });
  await runPlan([{ title: 'Build', steps: [createSteps().step('Build image')] }], { ...screen, signal });
  expect(screen.stderr()).toBe('');
});

test('a preview checks every step and applies none', async () => {
  const { done, step } = createSteps();
  const plan: Plan = [
    { title: 'Engine', steps: [{ ...step('Start Docker'), isDone: async () => 'Docker 28 answers' }] },
    {
      title: 'Cluster',
      steps: [{ ...step('Create cluster'), isDone: async () => false }, step('Build image')],
    },
    {
      title: 'Deploy',
      steps: [{ ...step('Deploy auth-service'), isDone: fail('no cluster') as () => Promise<false> }],
    },
  ];
  const screen = createScreen();
  const preview = await previewPlan(plan, { ...screen, signal });
  expect(done).toEqual([]);
  expect(preview.map(({ step, skipped, unknown }) => [step, skipped, unknown])).toEqual([
    ['Start Docker', 'Docker 28 answers', false],
    ['Create cluster', undefined, false],
    ['Build image', undefined, false],
    ['Deploy auth-service', undefined, true],
  ]);
  expect(screen.stderr()).toBe(
    [
      'Engine',
      '  ↓ Start Docker  Docker 28 answers',
      'Cluster',
      '  ❯ Create cluster',
      '  ❯ Build image',
      'Deploy',
      '  ❯ Deploy auth-service  depends on earlier steps',
      '',
    ].join('\n'),
  );
});

test('a preview does not hide a failure that no earlier step explains', async () => {
  const isDone = fail('Docker does not answer') as () => Promise<false>;
  const plan = [{ title: 'Engine', steps: [{ ...createSteps().step('Start Docker'), isDone }] }];
  await expect(previewPlan(plan, { ...createScreen(), signal })).rejects.toThrow('Docker does not answer');
});

test('a plan with nothing to do checks all its steps at once', async () => {
  let asked = 0;
  const isDone = async () => {
    asked += 1;
    await expect.poll(() => asked).toBe(3);
    return 'unchanged';
  };
  const step = { ...createSteps().step('there'), isDone };
  const plan: Plan = [
    { title: 'First', steps: [step] },
    { title: 'Second', steps: [step, step] },
  ];
  const { steps } = await runPlan(plan, { ...createScreen(), signal });
  expect(steps.map(({ skipped }) => skipped)).toEqual(['unchanged', 'unchanged', 'unchanged']);
  expect(asked).toBe(3);
});

test('after a change steps are checked again, and earlier checks have been aborted', async () => {
  const { done, step } = createSteps();
  const questions: string[] = [];
  const later: Step = {
    ...step('later'),
    async isDone({ signal }) {
      if (questions.push(done.includes('first') ? 'asked after' : 'asked before') > 1) return false;
      // Only an abort ends it, like a program that hangs.
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      return 'unchanged';
    },
  };
  await runPlan(
    [
      { title: 'First', steps: [step('first')] },
      { title: 'Second', steps: [later] },
    ],
    { ...createScreen(), signal },
  );
  expect(questions).toEqual(['asked before', 'asked after']);
  expect(done).toEqual(['first', 'later']);
});
