import { expect, test } from 'vitest';
import { createNodeWatch } from '../../src/cluster/node-watch.ts';
import { findProcess, listDescendants } from '../../src/lib/processes.ts';
import type { Run } from '../../src/plan/plan.ts';
import { runPlan } from '../../src/plan/run-plan.ts';
import { watchSteps } from '../../src/plan/watch-steps.ts';
import { exec } from '../../src/tools/exec.ts';
import { createHelm } from '../../src/tools/helm.ts';
import { showProgress } from '../../src/ui/progress.ts';
import { createKindEngine } from '../fakes/kind-engine.ts';
import { createScreen } from '../fakes/screen.ts';

const node = 'wealist-control-plane';
const paused = {
  message: `node ${node} is paused`,
  hint: `docker unpause ${node}, or npm run up`,
  exitCode: 5,
};

async function start() {
  const engine = createKindEngine();
  engine.add(node, { cluster: 'wealist' });
  engine.add('other-control-plane', { cluster: 'other', state: 'paused' });
  return { engine, watch: createNodeWatch(engine.docker, 'wealist', { interval: 20 }) };
}

/** A helm that waits for a response of the API server. */
const helm = createHelm((_program, _args, options) => exec('sleep', ['60'], options), {
  program: 'helm',
  kubeconfig: '',
  context: '',
});

test('docker pause while steps wait for the cluster: one failure that names the node, and nothing is left running', async () => {
  const { engine, watch } = await start();
  const signal = new AbortController().signal;
  const wait = ({ signal }: Run) => helm.uninstall('auth-service', 'wealist', signal);
  const steps = ['auth-service', 'frontend'].map((title) => ({ title, apply: wait }));
  const plan = watchSteps([{ title: 'Services', steps }], watch);
  const display = showProgress(createScreen().ui);
  const failure = runPlan(plan, { ...display, signal }).catch((error: unknown) => error);
  await expect.poll(() => listDescendants(process.pid)).toHaveLength(2);
  const below = await listDescendants(process.pid);
  engine.set(node, { state: 'paused' });
  expect(await failure).toMatchObject(paused);
  const left = await Promise.all(below.map(({ pid }) => findProcess(pid)));
  expect(left).toEqual([undefined, undefined]);
});

test('a check ends as well, and a step that ends in time is not affected', async () => {
  const { engine, watch } = await start();
  const run = { signal: new AbortController().signal, report() {} };
  const check = async ({ signal }: Run) => {
    await helm.uninstall('auth-service', 'wealist', signal);
    return 'unchanged' as const;
  };
  const [stage] = watchSteps(
    [{ title: 'A', steps: [{ title: 'a', isDone: check, apply: async () => {} }] }],
    watch,
  );
  engine.set(node, { state: 'paused' });
  await expect(stage?.steps[0]?.isDone?.(run)).rejects.toMatchObject(paused);
  await stage?.steps[0]?.apply(run);
});
