import type { Plan } from '../plan/plan.ts';
import { watchSteps } from '../plan/watch-steps.ts';
import { type Reloaded, type ReloadServiceDeps, reloadService } from '../steps/reload-service.ts';

/** Updates services in the running cluster to their current source, all at once and independently of each other. */
export function planReload(
  deps: ReloadServiceDeps,
  services: readonly string[],
  onReloaded: (reloaded: Reloaded) => void,
): Plan {
  const steps = services.map((name) => reloadService(deps, name, onReloaded));
  return watchSteps([{ title: 'Reload', steps }], deps.watch);
}
