import type { App } from '../../cli/command.ts';
import { openImages } from '../../images/open-images.ts';
import type { Step } from '../../plan/plan.ts';
import type { ToolName } from '../../tools/releases.ts';
import { loadMachineEnvironment } from './guard.ts';
import { openSession } from './session.ts';
import { toolSteps } from './tool-steps.ts';

type Deps = Pick<App, 'paths' | 'exec'>;

/** Puts these tools where every command finds them: on PATH, downloaded, or built. What is there is left alone. */
export async function obtainTools(app: App, names: readonly ToolName[]): Promise<void> {
  const steps = (await connectTools(app)).filter(({ title }) => names.some((name) => name === title));
  const run = { signal: app.signal, report: () => {} };
  const done = await Promise.all(steps.map((step) => step.isDone?.(run)));
  if (done.every(Boolean)) return;
  await app.exclusively(() => app.runPlan([{ title: 'Tools', steps }]));
}

/** No engine is needed for them. */
async function connectTools(app: Deps & Pick<App, 'environment'>): Promise<readonly Step[]> {
  const { registry } = await loadMachineEnvironment(app);
  const { toolchain } = openSession(app, { socket: '/dev/null' }, 'none');
  return toolSteps(app, await openImages({ ...app, registry, toolchain }));
}
