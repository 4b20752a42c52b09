import type { Environment } from '../config/schema.ts';
import type { Plan } from '../lib/plan.ts';
import type { Change } from '../machine/changes/change.ts';
import { unlockRoot } from '../machine/changes/root.ts';
import { applyChanges, collectChanges, describeChanges } from '../machine/changes.ts';
import { requireFit, runChecks } from '../machine/checks.ts';
import { type Engine, getEngine } from '../machine/engine.ts';
import type { PortPair } from '../machine/ports.ts';
import { createDocker } from '../tools/docker.ts';
import { versions } from '../tools/versions.ts';
import type { App } from './command.ts';
import type { Situation } from './situation.ts';

export interface MachineDemand {
  readonly environment: Environment;
  /** Images will be built from packages. */
  readonly buildsImages: boolean;
  /** Host ports of a node that will be made; undefined when the cluster is there. */
  readonly newPorts: PortPair | undefined;
}

/** What must change on this system for `up` to go on. */
export function listChanges(
  { exec, paths, signal }: Pick<App, 'exec' | 'paths' | 'signal'>,
  { host, engine }: Pick<Situation, 'host' | 'engine'>,
  { buildsImages, newPorts }: MachineDemand,
): Promise<readonly Change[]> {
  // Trying a privileged container takes a second, and a cluster that is there has proved it.
  const docker = engine && newPorts ? createDocker(engine, exec) : undefined;
  const packages = buildsImages ? ['mmdebstrap'] : [];
  return collectChanges({ host, engine, docker, exec, paths, packages, signal });
}

/**
 * Brings this machine to where a cluster can run on it: asks for all that must change on the system, in one list, changes it,
 * then checks the rest.
 * @throws {Failure} exit code 2 or 9 without consent, 3 when the machine is unfit.
 */
export async function prepareMachine(
  app: App,
  { host, engine: found }: Pick<Situation, 'host' | 'engine'>,
  demand: MachineDemand,
  agreed: boolean,
): Promise<Engine> {
  const { exec, paths, signal } = app;
  const first = await listChanges(app, { host, engine: found }, demand);
  await app.confirmChanges(describeChanges(first), agreed);
  if (first.length > 0) await unlockRoot(host, exec);
  if (first.length > 0) await app.runPlan(toPlan(first, { host, exec }));
  let engine = first.length > 0 || !found ? await getEngine(host, { signal }) : found;

  if (first.length > 0) {
    // Only an engine that runs shows whether a node can start in it, and what that takes was in no list yet.
    const second = await listChanges(app, { host, engine }, demand);
    await app.confirmChanges(describeChanges(second), agreed);
    if (second.length > 0) {
      await app.runPlan(toPlan(second, { host, exec }));
      engine = await getEngine(host, { signal });
    }
  }
  const { newPorts: ports, buildsImages } = demand;
  if (!ports) return engine;

  const checks = await runChecks({
    host,
    engine,
    docker: createDocker(engine, exec),
    exec,
    paths,
    demand: { kubernetes: versions.kubernetes, buildsImages, ports },
    signal,
  });
  for (const { state, title, detail } of checks) if (state === 'warn') app.ui.say(`${title}: ${detail}`);
  requireFit(checks);
  return engine;
}

/** One step: the changes build on each other. */
function toPlan(changes: readonly Change[], parts: Parameters<typeof applyChanges>[1]): Plan {
  const step = {
    title: 'change this system',
    apply: (run: Parameters<Change['apply']>[0]) => applyChanges(changes, parts, run),
  };
  return [{ title: 'This machine', steps: [step] }];
}
