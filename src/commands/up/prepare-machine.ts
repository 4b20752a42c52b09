import type { App } from '../../cli/command.ts';
import type { Requests } from '../../config/requests.ts';
import type { Environment } from '../../config/schema.ts';
import type { MissingParts } from '../../images/missing-parts.ts';
import type { Change } from '../../machine/changes/change.ts';
import { unlockRoot } from '../../machine/changes/root.ts';
import { collectChanges, describeChanges, planChanges } from '../../machine/changes.ts';
import { requirePassed, runChecks } from '../../machine/checks.ts';
import { getEngine } from '../../machine/engine.ts';
import type { PortPair } from '../../machine/ports.ts';
import { joinResults, type PlanResult } from '../../plan/run-plan.ts';
import { createDocker } from '../../tools/docker/docker.ts';
import { versions } from '../../tools/versions.ts';
import type { Situation } from '../context/engine.ts';

export interface MachineDemand {
  readonly environment: Environment;
  /** Parts of images that will be built from packages. */
  readonly partsToBuild: MissingParts;
  /** Host ports of the cluster to create; undefined when it exists. */
  readonly newPorts: PortPair | undefined;
  /** Number of nodes in addition to the control plane. */
  readonly workers: number;
  /** Resource requests of all pods of this run; called when a cluster will be created. */
  readonly requests: () => Promise<Requests>;
}

/** Changes to this system that `up` requires. */
export function listChanges(
  { exec, paths, signal }: Pick<App, 'exec' | 'paths' | 'signal'>,
  { host, engine }: Pick<Situation, 'host' | 'engine'>,
  { partsToBuild, newPorts, workers }: MachineDemand,
): Promise<readonly Change[]> {
  // Testing a privileged container takes a second, and is unnecessary when a cluster exists.
  const docker = engine && newPorts ? createDocker(engine, exec) : undefined;
  // Without root, mmdebstrap maps user IDs with the programs of uidmap, which its package only recommends.
  const packages = partsToBuild.roots > 0 ? ['mmdebstrap', ...(host.isRoot ? [] : ['uidmap'])] : [];
  return collectChanges({ host, engine, docker, exec, paths, packages, workers, signal });
}

/**
 * Prepares this machine for a cluster: asks once to confirm all changes to the system, applies them, then runs the
 * preflight checks. Resolves to the results of its steps.
 * @throws {Failure} exit code 2 or 9 without confirmation, 3 when a check fails.
 */
export async function prepareMachine(
  app: App,
  { host, engine: found }: Pick<Situation, 'host' | 'engine'>,
  demand: MachineDemand,
  confirmed: boolean,
): Promise<PlanResult> {
  const { exec, paths, signal } = app;
  let engine = found;
  const results: PlanResult[] = [];
  // Only a running engine shows whether a node can start in it, which may require further changes.
  for (const _ of ['without an engine', 'in the engine']) {
    const changes = await listChanges(app, { host, engine }, demand);
    if (changes.length === 0) break;
    await app.confirmChanges(describeChanges(changes), confirmed);
    await unlockRoot(host, exec);
    results.push(await app.runPlan(planChanges(changes, { host, exec })));
    engine = await getEngine(host, { signal });
  }
  engine ??= await getEngine(host, { signal });
  const { newPorts: ports, partsToBuild, workers, requests } = demand;
  if (ports) {
    const checks = await runChecks({
      host,
      engine,
      docker: createDocker(engine, exec),
      exec,
      paths,
      demand: { kubernetes: versions.kubernetes, partsToBuild, ports, workers, requests: await requests() },
      signal,
    });
    for (const { state, title, detail } of checks) if (state === 'warn') app.ui.say(`${title}: ${detail}`);
    requirePassed(checks);
  }
  return joinResults(results);
}
