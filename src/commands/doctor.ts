import { type App, defineCommand } from '../cli/command.ts';
import { yes } from '../cli/options.ts';
import { type FoundCluster, findCluster } from '../cluster/ownership.ts';
import { loadCatalog } from '../config/catalog.ts';
import { sumRequests } from '../config/requests.ts';
import type { Environment, LocalEnvironment } from '../config/schema.ts';
import { selectServices } from '../config/services.ts';
import { openImages } from '../images/open-images.ts';
import { listFromSource } from '../images/source/dockerfile-source.ts';
import { exitCodes } from '../lib/failure.ts';
import { ownPlatform } from '../lib/platform.ts';
import { toReference } from '../lib/reference.ts';
import { createRoot, unlockRoot } from '../machine/changes/root.ts';
import { collectChanges, describeChanges, planChanges } from '../machine/changes.ts';
import type { CheckContext, CheckResult } from '../machine/checks/check.ts';
import { checkNetwork } from '../machine/checks/network.ts';
import { runChecks } from '../machine/checks.ts';
import { type Engine, getEngine } from '../machine/engine.ts';
import { EngineFailure } from '../machine/engine-failure.ts';
import { type Host, readHost } from '../machine/host.ts';
import { lacksNewGroup } from '../machine/new-group.ts';
import { type AppliedChange, createSystemRecord } from '../machine/system-record.ts';
import { findClusterRecord } from '../state/cluster-record.ts';
import { createDockerCli } from '../tools/docker/cli.ts';
import { createDocker, type Docker } from '../tools/docker/docker.ts';
import { defaultSocket } from '../tools/docker/engine-socket.ts';
import { versions } from '../tools/versions.ts';
import { toSymbol } from '../ui/style.ts';
import { toTable } from '../ui/table.ts';
import type { Ui } from '../ui/ui.ts';
import { loadMachineEnvironment } from './context/environment.ts';
import { findPartsToBuild } from './context/missing-parts.ts';
import { checkContexts } from './doctor/check-contexts.ts';
import { checkDns, type DnsDeps } from './doctor/check-dns.ts';
import { checkPolicies } from './doctor/check-policies.ts';

export const command = defineCommand({
  description:
    'Checks the machine, container engine, ports, disk and network, and shows a fix for each problem. Exits with code 3 if a check has failed. Changes nothing without --fix.',
  options: {
    fix: { summary: 'make the changes to this system that are safe to make, after confirmation' },
    yes,
  },
  examples: ['npm run doctor', 'npm run doctor -- --fix'],

  async run(app, input) {
    const environment = await loadMachineEnvironment(app);
    if (input.fix) {
      await fix(app, await readHost(), input.yes);
      // Throws that this session may not use the engine: the command is then repeated with the new group.
      if (await lacksNewGroup()) await getEngine(await readHost(), { signal: app.signal });
    }
    const { checks, changes } = await examine(app, await readHost(), environment);
    app.ui.result({ checks, changes }, toText(checks, changes, app.ui));
    return checks.some(({ state }) => state === 'fail') ? exitCodes.host : exitCodes.ok;
  },
});

interface Examination {
  readonly checks: readonly CheckResult[];
  /** Changes that this tool has made to the system, in this run or an earlier one. */
  readonly changes: readonly AppliedChange[];
}

async function examine(app: App, host: Host, environment: LocalEnvironment): Promise<Examination> {
  const { paths, exec, signal } = app;
  const found = await getEngine(host, { signal }).catch((error: unknown) => {
    if (error instanceof EngineFailure) return error;
    throw error;
  });
  const engine = found instanceof EngineFailure ? undefined : found;
  const docker = engine && createDocker(engine, exec);
  const record = await findClusterRecord(paths);
  const { name, httpPort, httpsPort, nodes = [] } = record ?? environment.cluster;
  const selection = selectServices(environment, []);
  const { controller = 'traefik', extras = [], lacking = [] } = record ?? {};
  const chosen = { controller, extras: [...extras, ...environment.with], lacking };
  const requests = await sumRequests({
    checkout: paths.checkout,
    environment,
    selection,
    controller,
    fromSource: await listFromSource(environment, paths.checkout),
  });
  const cluster = docker && (await findCluster(docker, name, signal));
  const common = { host, engine, docker, exec, paths, signal } satisfies Partial<CheckContext>;
  const ports = cluster ? undefined : { http: httpPort, https: httpsPort };
  const demand = { kubernetes: versions.kubernetes, ports, requests, workers: cluster ? 0 : nodes.length };

  const network = await checkNetwork({
    ...common,
    demand: { ...demand, partsToBuild: { programs: 0, roots: 0 } },
    registryMirror: environment.registry.mirror,
  });
  const partsToBuild = await findPartsToBuild(await openDoctorImages(app, environment, docker, engine), {
    ...{ selection, cluster: chosen, engine },
    canPull: async () => network.some(({ id, state }) => id === 'registry' && state === 'ok'),
  });
  const machine = await runChecks({ ...common, demand: { ...demand, partsToBuild } });
  return {
    checks: [
      ...machine.map((check) => (check.id === 'engine' ? explain(check, found) : check)),
      ...network,
      ...(await checkContexts(environment, paths.checkout)),
      ...(cluster && docker ? await checkPolicies(app, environment, { cluster, docker }) : []),
      ...(cluster && docker ? await checkDns(app, cluster, await toDnsDeps(app, docker)) : []),
      describeCluster(name, cluster, found),
    ],
    changes: await createSystemRecord(createRoot(host, exec)).list(),
  };
}

/** The registries are asked for by name; whether they can be reached does not matter. */
async function toDnsDeps({ exec, paths }: App, docker: Docker): Promise<DnsDeps> {
  const catalog = Object.values(await loadCatalog(paths.checkout));
  const names = catalog.flatMap(({ pull }) => toReference(pull)?.registry ?? []);
  return { dockerCli: createDockerCli(exec, docker), names: [...new Set(names)] };
}

/** Replaces the detail of the engine check by why no engine was found. */
function explain(check: CheckResult, found: Engine | EngineFailure): CheckResult {
  if (!(found instanceof EngineFailure)) return check;
  const { message, hint } = found;
  return { ...check, detail: message, ...(hint === undefined ? {} : { fix: hint }) };
}

/** Only an engine that responds, or a machine that has none, shows that a cluster does not exist. */
function describeCluster(
  name: string,
  cluster: FoundCluster | undefined,
  engine: Engine | EngineFailure,
): CheckResult {
  const common = { id: 'cluster', title: `cluster ${name}` } as const;
  if (cluster) {
    const { state, httpPort, httpsPort } = cluster;
    return { ...common, state: 'ok', detail: `${state}, ports ${httpPort} and ${httpsPort}` };
  }
  if (engine instanceof EngineFailure && engine.problem !== 'absent') {
    return { ...common, state: 'warn', detail: `unknown: ${engine.message}` };
  }
  return { ...common, state: 'ok', detail: 'does not exist; npm run up creates it' };
}

/** Everything that finds images; without an engine, only those in the cache are found. */
function openDoctorImages(
  { paths, exec }: App,
  environment: Environment,
  docker: Docker | undefined,
  engine: Engine | undefined,
) {
  const client = docker ?? createDocker({ socket: defaultSocket }, exec);
  const toolchain = { docker: client, dockerCli: createDockerCli(exec, client) };
  const architecture = engine?.arch ?? ownPlatform().architecture;
  const { registry } = environment;
  return openImages({ paths, registry, toolchain, exec, architecture, environment });
}

async function fix(app: App, host: Host, confirmed: boolean): Promise<void> {
  const { paths, exec, signal, ui } = app;
  const engine = await getEngine(host, { signal }).catch((error: unknown) => {
    if (error instanceof EngineFailure) return undefined;
    throw error;
  });
  const docker = engine && createDocker(engine, exec);
  const changes = await collectChanges({ host, engine, docker, exec, paths, signal });
  if (changes.length === 0) {
    ui.say('nothing to change on this system');
    return;
  }
  await app.confirmChanges(describeChanges(changes), confirmed);
  await app.exclusively(async () => {
    await unlockRoot(host, exec);
    await app.runPlan(planChanges(changes, { host, exec }));
  });
}

function toText(
  checks: readonly CheckResult[],
  changes: readonly AppliedChange[],
  { resultColors: colors }: Ui,
): string {
  const marks = { ok: 'done', warn: 'pointer', fail: 'failed' } as const;
  const rows = checks.flatMap(({ title, state, detail, fix: command }) => [
    [toSymbol(marks[state], colors), title, detail],
    ...(command === undefined ? [] : [['', '', `${colors.dim('fix')} ${command}`]]),
  ]);
  const changeRows = changes.map(({ title, detail, at, ended }) => [
    at.slice(0, 10),
    `${title}${ended ? '' : ' (interrupted; npm run up completes it)'}: ${detail}`,
  ]);
  return [
    toTable(rows),
    ...(changeRows.length === 0 ? [] : ['', 'Changed on this system by wealist-local:', toTable(changeRows)]),
  ].join('\n');
}
