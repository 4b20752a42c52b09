import { join } from 'node:path';
import { defineCommand, type Option } from '../cli/command.ts';
import { dryRun, name, nodes, selectedServices, yes } from '../cli/options.ts';
import { findCreated, toCreation, toDigest } from '../cluster/creation.ts';
import { findPolicyRecord } from '../cluster/network-policies.ts';
import { loadHelmValues } from '../config/helm-values.ts';
import type { Override } from '../config/load.ts';
import { sumRequests } from '../config/requests.ts';
import type { WorkerType } from '../config/schema.ts';
import { selectServices } from '../config/services.ts';
import { canPull } from '../images/can-pull.ts';
import { listFromSource } from '../images/source/dockerfile-source.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { describeChanges, planChanges } from '../machine/changes.ts';
import { joinResults } from '../plan/run-plan.ts';
import { toHostOrigin, toOrigin } from '../plans/addresses.ts';
import { hostsOfExtras } from '../plans/extras.ts';
import { planUp } from '../plans/up.ts';
import type { UpDeps } from '../plans/up-deps.ts';
import { describeExtras } from '../plans/up-extras.ts';
import { ensureCheckoutId, findCheckoutId } from '../state/checkout-id.ts';
import { type ClusterRecord, writeClusterRecord } from '../state/cluster-record.ts';
import { writeEngineRecord } from '../state/engine-record.ts';
import { findOwnerLoss, findOwnerRecord, writeOwnerRecord } from '../state/owner-record.ts';
import { ensureSecrets, findSecrets } from '../state/secrets.ts';
import { probeTitle } from '../steps/probe-policies.ts';
import { type Address, describeUp, toUpValue } from '../ui/summary.ts';
import { parseExtras } from './context/choose-extras.ts';
import type { Situation } from './context/engine.ts';
import { requireWritable } from './context/environment.ts';
import { findPartsToBuild } from './context/missing-parts.ts';
import { toSecretsOptions } from './context/secrets.ts';
import { type Foreseen, foreseeUp, type UpOptions } from './context/up-deps.ts';
import { listChanges, type MachineDemand, prepareMachine } from './up/prepare-machine.ts';
import { requireOwnPorts } from './up/require-own-ports.ts';
import { retryOnTakenPort } from './up/retry-ports.ts';

const options = {
  with: {
    value: 'extra',
    summary: 'deploy this extra with the platform, several separated by commas; remembered for the cluster',
    complete: 'extras',
  },
  without: {
    value: 'extra',
    summary: 'remove this extra again; its data is preserved',
    complete: 'extras',
  },
  repair: {
    summary: 'apply every chart again, to revert what was changed or deleted in the cluster by hand',
  },
  rebuild: {
    summary: "build the images of the services again, without the builder's cache",
  },
  yes,
  name,
  nodes,
  dryRun,
  dashboard: { summary: 'also serve the dashboard, until Ctrl-C' },
} as const satisfies Record<string, Option>;

export const command = defineCommand({
  description:
    'Installs missing tools, creates the cluster, builds and loads the images, deploys everything, each program as soon as it can start, and ends when each service responds through the ingress. What is already up to date is skipped.',
  arguments: { services: selectedServices },
  options,
  examples: [
    'npm run up',
    'npm run up -- --yes',
    'npm run up -- --nodes app,db',
    'npm run up -- --with monitoring',
    'npm run up -- --dashboard',
    'npm run up -- auth-service --dry-run',
  ],

  async run(
    app,
    {
      services,
      name: wantedName,
      nodes: wantedNodes,
      dryRun: isPreview,
      yes: confirmed,
      repair: repairs,
      rebuild,
      dashboard,
      ...input
    },
  ) {
    if (dashboard && isPreview) {
      throw new Failure('--dashboard and --dry-run exclude each other: nothing would be seen', {
        hint: 'npm run up -- --dry-run',
        exitCode: exitCodes.usage,
      });
    }
    if (dashboard) {
      const { upWithDashboard } = await import('./up/with-dashboard.ts');
      const given = {
        ...input,
        name: wantedName,
        nodes: wantedNodes,
        yes: confirmed,
        repair: repairs,
        rebuild,
      };
      return upWithDashboard(app, services, options, given);
    }
    const overrides = toOverrides({ name: wantedName, nodes: wantedNodes });
    const environment = requireWritable(app, await app.environment({ overrides }), 'up');
    const selection = selectServices(environment, services);
    const fromSource = await listFromSource(environment, app.paths.checkout);
    const { podSecurity } = await loadHelmValues(app.paths.checkout, environment, fromSource);
    const wantedExtras = parseExtras(input, environment);
    const toPlan = (
      { deps, record }: Foreseen,
      own: { readonly checkoutId: string; readonly secrets: string | undefined },
    ) =>
      planUp(environment, deps, {
        ...{ selection, cluster: record, controller: record.controller, repairs, podSecurity, ...own },
        fromSource,
        removedExtras: wantedExtras.removed,
      });

    if (isPreview) {
      const foreseen = await inspect({});
      const { demand, record, situation } = foreseen;
      const changes = situation.engine ? [] : await listChanges(app, situation, demand);
      const secrets = await findSecrets(await toSecretsOptions(app, environment, record.name));
      const checkoutId = (await findCheckoutId(app.paths)) ?? '';
      const plan = toPlan(foreseen, { checkoutId, secrets: secrets?.file });
      for (const change of describeChanges(changes)) app.ui.say(change);
      const preview = await app.previewPlan([...planChanges(changes, { ...app, ...situation }), ...plan]);
      const pending = preview.filter(({ skipped }) => skipped === undefined).length;
      app.ui.result(
        { changes: changes.map(({ id, title }) => ({ id, title })), steps: preview },
        pending === 0 ? 'nothing to do' : `${pending} of ${preview.length} steps would run`,
      );
      return;
    }

    await app.exclusively(
      async () => {
        const adopt = { confirmed };
        const before = await inspect({ adopt, ports: { avoided: new Set() } });
        const prepared = await prepareMachine(app, before.situation, before.demand, confirmed);
        const { record, ...applied } = await retryOnTakenPort(app.ui, async (avoided) => {
          // Without a running engine, an existing cluster and its ports were not known before.
          const isCurrent = before.situation.engine !== undefined && avoided.size === 0;
          return apply(isCurrent ? before : await inspect({ adopt, ports: { avoided } }));
        });
        const result = joinResults([prepared, applied.result]);
        const isDeployed = !result.steps.some(
          ({ step, skipped }) => step === probeTitle && skipped === 'none',
        );
        if (isDeployed && (await findPolicyRecord(app.paths))?.enforced === false) {
          app.ui.say("network policies are not enforced by this cluster's network");
        }
        const addresses = listAddresses(record);
        app.ui.result(toUpValue(result, addresses), describeUp(result, addresses, app.ui.resultColors));
      },
      { usesCache: true },
    );

    /** Runs the plan, with the records that must exist before it and after it. */
    async function apply(foreseen: Foreseen) {
      const { situation, record, deps } = foreseen;
      // Extras stay in the record until they are removed, so that a killed run can be repeated.
      const beingRemoved = situation.record?.extras.filter((name) =>
        wantedExtras.removed.some((each) => each === name),
      );
      await writeClusterRecord(app.paths, { ...record, extras: [...record.extras, ...(beingRemoved ?? [])] });
      // An engine's ID may change, as when it is installed again; the cluster in it shows that it is the same.
      if (situation.found && deps.engine) {
        await writeEngineRecord(join(app.paths.data, record.name), deps.engine);
      }
      await keepOwnerRecord(situation.found);
      const checkoutId = await ensureCheckoutId(app.paths);
      const { file: secrets } = await ensureSecrets(await toSecretsOptions(app, environment, record.name));
      const plan = toPlan(foreseen, { checkoutId, secrets });
      const drift = await findDrift(situation, record, checkoutId, deps);
      if (drift !== undefined) {
        app.ui.say(
          `cluster ${record.name} ${drift}; to recreate it and preserve the data: npm run down, then npm run up`,
        );
      }
      for (const note of await describeExtras(deps, { cluster: record }, app.signal)) app.ui.say(note);
      const result = await app.runPlan(plan);
      await Promise.all(
        // The second is for a checkout that adopts the cluster when this one is lost.
        [app.paths.state, join(app.paths.data, record.name, 'owners', checkoutId)].map((state) =>
          writeClusterRecord({ state }, { ...record, engine: deps.engine }),
        ),
      );
      return { result, record };
    }

    /** Records this checkout as the owner where the record is missing, or names a place from which it was moved. */
    async function keepOwnerRecord(found: Situation['found']): Promise<void> {
      const { owner, ownerFolder } = found ?? {};
      if (owner === undefined || ownerFolder === undefined) return;
      const record = await findOwnerRecord(ownerFolder);
      if (record && !(await findOwnerLoss(owner, record))) return;
      await writeOwnerRecord(ownerFolder, app.paths);
    }

    /** How the cluster differs from settings that only recreating it can change; that is left to the user. */
    async function findDrift(
      { found }: Situation,
      cluster: ClusterRecord,
      checkoutId: string,
      { chain }: Pick<UpDeps, 'chain'>,
    ): Promise<string | undefined> {
      const node = await chain.findNode();
      if (!found || !node) return undefined;
      const created = await findCreated(found);
      if (created === undefined) return undefined;
      const { config } = await toCreation({ paths: app.paths, checkoutId, cluster, image: node.reference });
      const { nodes } = environment.cluster;
      if (nodes !== undefined && toTypes(nodes) !== toTypes(cluster.nodes)) {
        return `has ${toTypes(cluster.nodes)} instead of ${toTypes(nodes)}`;
      }
      const lost = cluster.nodes.length + 1 - found.nodes.length;
      if (lost > 0) return `has lost ${lost} of its nodes`;
      return created !== toDigest(config)
        ? 'was created with other settings or another node image than the current ones'
        : undefined;
    }

    /** Reads the current state, and what the run requires of the machine; changes nothing. */
    async function inspect(options: Pick<UpOptions, 'adopt' | 'ports'>) {
      const wanted = { name: wantedName, extras: wantedExtras, rebuild };
      const foreseen = await foreseeUp(app, environment, { ...wanted, ...options });
      const { situation, record, deps } = foreseen;
      await requireOwnPorts(app, situation);
      const partsToBuild = await findPartsToBuild(deps.images, {
        ...{ selection, cluster: record, engine: situation.engine },
        canPull: async () =>
          environment.registry.pull === 'only' || (await canPull('docker.io', environment, app)),
      });
      const demand: MachineDemand = {
        environment,
        partsToBuild,
        newPorts: situation.found ? undefined : { http: record.httpPort, https: record.httpsPort },
        workers: record.nodes.length,
        requests: () =>
          sumRequests({
            checkout: app.paths.checkout,
            environment,
            selection,
            controller: record.controller,
            fromSource,
          }),
      };
      return { ...foreseen, demand };
    }
  },
});

/** The URLs of the platform's page and of the extras. */
function listAddresses(record: ClusterRecord): readonly Address[] {
  const hosts = hostsOfExtras(record).map(({ name, page = '/' }) => ({
    name,
    url: `${toHostOrigin(name, record)}${page}`,
  }));
  return [{ name: 'weAlist', url: `${toOrigin(record)}/` }, ...hosts];
}

/** Worker nodes as text. */
function toTypes(nodes: readonly WorkerType[]): string {
  return nodes.length === 0 ? 'a single node' : `the nodes ${[...nodes].sort().join(', ')}`;
}

function toOverrides(wanted: { name: string | undefined; nodes: string | undefined }): readonly Override[] {
  const types = wanted.nodes?.split(',').map((type) => type.trim());
  return [
    ...(wanted.name === undefined
      ? []
      : [{ flag: '--name', path: ['cluster', 'name'] as const, value: wanted.name }]),
    ...(types === undefined ? [] : [{ flag: '--nodes', path: ['cluster', 'nodes'] as const, value: types }]),
  ];
}
