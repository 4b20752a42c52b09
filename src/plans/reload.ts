import type { Plan } from '../plan/plan.ts';
import { type Reloaded, type ReloadServiceDeps, reloadService } from '../steps/reload-service.ts';

/** Brings the source of some services, as it is now, into the running cluster, each for itself and all at once. */
export function planReload(
  deps: ReloadServiceDeps,
  services: readonly string[],
  onReloaded: (reloaded: Reloaded) => void,
): Plan {
  const steps = services.map((name) => reloadService(deps, name, onReloaded));
  return [{ title: 'Reload', steps }];
}
