import type { Watch } from '../lib/watchdog.ts';
import type { Plan, Run } from './plan.ts';

/** The same plan, whose steps end with the reason of the watch as soon as they can no longer go on. */
export function watchSteps(plan: Plan, watch: Watch): Plan {
  const watchRun =
    <T>(work: (run: Run) => Promise<T>) =>
    (run: Run) =>
      watch(run.signal, (signal) => work({ ...run, signal }));
  return plan.map((stage) => ({
    ...stage,
    steps: stage.steps.map(({ isDone, apply, ...step }) => ({
      ...step,
      ...(isDone && { isDone: watchRun(isDone) }),
      apply: watchRun(apply),
    })),
  }));
}
