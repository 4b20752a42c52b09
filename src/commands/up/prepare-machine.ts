import type { App } from '../../cli/command.ts';
import type { Requests } from '../../config/requests.ts';
import type { Environment } from '../../config/schema.ts';
import type { Change } from '../../machine/changes/change.ts';
import { unlockRoot } from '../../machine/changes/root.ts';
import { collectChanges, describeChanges, planChanges } from '../../machine/changes.ts';
import { requirePassed, runChecks } from '../../machine/checks.ts';
import { getEngine } from '../../machine/engine.ts';
import type { PortPair } from '../../machine/ports.ts';
import { joinResults, type PlanResult } from '../../plan/run-plan.ts';
import { createDocker } from '../../tools/docker/docker.ts';
import { versions } from '../../tools/versions.ts';
import type { Situation } from '../context/situation.ts';

export interface MachineDemand {
  readonly environment: Environment;
  /** Images will be built from packages. */
  readonly buildsImages: boolean;
  /** Host ports of a node that will be made; undefined when the cluster is there. */
  readonly newPorts: PortPair | undefined;
  /** Nodes of the cluster beside its control plane. */
  readonly workers: number;
  /** Of all pods that this run is about; asked where a cluster will be made. */
  readonly requests: () => Promise<Requests>;
}

/** What must change on this system for `up` to go on. */
export function listChanges(
  { exec, paths, signal }: Pick<App, 'exec' | 'paths' | 'signal'>,
  { host, engine }: Pick<Situation, 'host' | 'engine'>,
  { buildsImages, newPorts, workers }: MachineDemand,
): Promise<readonly Change[]> {
  // Trying a privileged container takes a second, and a cluster that is there has proved it.
  const docker = engine && newPorts ? createDocker(engine, exec) : undefined;
  const packages = buildsImages ? ['mmdebstrap'] : [];
  return collectChanges({ host, engine, docker, exec, paths, packages, workers, signal });
}

/**
 * Brings this machine to where a cluster can run on it: asks for all that must change on the system, in one list, changes it,
 * then checks the rest. Resolves to the steps that it took.
 * @throws {Failure} exit code 2 or 9 without consent, 3 when the machine is unfit.
 */
export async function prepareMachine(
  app: App,
  { host, engine: found }: Pick<Situation, 'host' | 'engine'>,
  demand: MachineDemand,
  agreed: boolean,
): Promise<PlanResult> {
  const { exec, paths, signal } = app;
  let engine = found;
  const results: PlanResult[] = [];
  // Only an engine that runs shows whether a node can start in it, and what that takes was in no list yet.
  for (const _ of ['without an engine', 'in the engine']) {
    const changes = await listChanges(app, { host, engine }, demand);
    if (changes.length === 0) break;
    await app.confirmChanges(describeChanges(changes), agreed);
    await unlockRoot(host, exec);
    results.push(await app.runPlan(planChanges(changes, { host, exec })));
    engine = await getEngine(host, { signal });
  }
  engine ??= await getEngine(host, { signal });
  const { newPorts: ports, buildsImages, workers, requests } = demand;
  if (ports) {
    const checks = await runChecks({
      host,
      engine,
      docker: createDocker(engine, exec),
      exec,
      paths,
      demand: { kubernetes: versions.kubernetes, buildsImages, ports, workers, requests: await requests() },
      signal,
    });
    for (const { state, title, detail } of checks) if (state === 'warn') app.ui.say(`${title}: ${detail}`);
    requirePassed(checks);
  }
  return joinResults(results);
}
