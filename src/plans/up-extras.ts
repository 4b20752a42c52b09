import { join } from 'node:path';
import type { ExtraName } from '../config/extras.ts';
import type { Environment } from '../config/schema.ts';
import { readServiceSettings, textAt } from '../config/service-settings.ts';
import { valuesFiles } from '../config/values.ts';
import type { Plan, Stage, Step } from '../plan/plan.ts';
import { deleteNamespace } from '../steps/delete-namespace.ts';
import { deployRelease } from '../steps/deploy-release.ts';
import { removeRelease } from '../steps/remove-release.ts';
import {
  describeUncommitted,
  obtainArgocd,
  prepareArgocd,
  removeArgocd,
  selectTryOut,
  syncArgocd,
} from './argocd.ts';
import { type Extra, type ExtraRelease, extras, imagesOfExtra, toExtraNames } from './extras.ts';
import { listDeployed, requireFound, type UpChoice, type UpDeps } from './up-deps.ts';

/** The steps of an extra besides those of its releases. */
interface OwnPlans {
  /** Steps before the cluster exists. */
  readonly obtain: (deps: UpDeps) => readonly Step[];
  readonly prepare: (deps: UpDeps) => Plan;
  readonly finish: (environment: Environment, deps: UpDeps, choice: UpChoice) => Plan;
  /** Stages after its releases are uninstalled, before its namespaces are deleted. */
  readonly remove: (deps: UpDeps) => Plan;
  /** Notes for the user, shown before the plan runs. */
  readonly notes: (deps: UpDeps, signal: AbortSignal) => Promise<readonly string[]>;
  /** Services that it deploys. */
  readonly services: (environment: Environment) => readonly string[];
}

const ownPlans: Partial<Readonly<Record<ExtraName, OwnPlans>>> = {
  argocd: {
    obtain: obtainArgocd,
    prepare: prepareArgocd,
    finish: syncArgocd,
    remove: removeArgocd,
    notes: describeUncommitted,
    services: (environment) => selectTryOut(environment).services,
  },
};

function plansOf(choice: Pick<UpChoice, 'cluster'>): readonly OwnPlans[] {
  return toExtraNames(choice.cluster).flatMap((name) => ownPlans[name] ?? []);
}

/** What the extras need besides images before the cluster exists. */
export function obtainExtras(deps: UpDeps, choice: UpChoice): readonly Step[] {
  return plansOf(choice).flatMap(({ obtain }) => obtain(deps));
}

/** Notes about the extras for the user, shown before the plan runs. */
export async function describeExtras(
  deps: UpDeps,
  choice: Pick<UpChoice, 'cluster'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return (await Promise.all(plansOf(choice).map(({ notes }) => notes(deps, signal)))).flat();
}

/** The services whose images are needed: those selected, and what extras deploy, in the environment's order. */
export function listBuiltServices(environment: Environment, choice: UpChoice): readonly string[] {
  const names = plansOf(choice).flatMap(({ services }) => services(environment));
  const wanted = new Set([...choice.selection.services, ...names]);
  return Object.keys(environment.services).filter((name) => wanted.has(name));
}

/** The releases of the extras, the first of each at once, then the second of each, between their own stages. */
export function deployExtras(environment: Environment, deps: UpDeps, choice: UpChoice): Plan {
  const chosen = toExtraNames(choice.cluster).map((name) => extras[name]);
  const waves = Math.max(0, ...chosen.map(({ releases }) => releases.length));
  const stages = Array.from({ length: waves }, (_, at) => ({
    title: waves === 1 ? 'Extras' : `Extras, wave ${at + 1}`,
    steps: chosen.flatMap((extra) => {
      const release = extra.releases[at];
      return release ? [deployExtra(extra, release)] : [];
    }),
  }));
  return [
    ...plansOf(choice).flatMap(({ prepare }) => prepare(deps)),
    ...stages,
    ...plansOf(choice).flatMap(({ finish }) => finish(environment, deps, choice)),
  ];

  /** The services that have metrics: the page of an own frontend has none. */
  async function listMeasured(): Promise<ReadonlySet<string>> {
    const { checkout } = deps.paths;
    const settings = await readServiceSettings({ checkout, environment, fromSource: choice.fromSource });
    const names = Object.keys(environment.services);
    return new Set(names.filter((name) => textAt(settings.of(name), ['metrics', 'enabled']) !== 'false'));
  }

  function deployExtra(extra: Extra, { valuesFile, values, ...release }: ExtraRelease) {
    const { checkout } = deps.paths;
    const { cluster, controller } = choice;
    const { httpPort, httpsPort } = cluster;
    const images = imagesOfExtra(extra, cluster);
    return deployRelease({
      ...deps,
      ...release,
      checkout,
      repairs: choice.repairs,
      // Without the secrets, which an extra must not get.
      valuesFiles: valuesFile ? [join(checkout, valuesFile)] : valuesFiles({ checkout, environment }),
      values: async () => {
        const deployed = await listDeployed(environment, deps, choice);
        const found = await Promise.all(images.map((name) => requireFound(deps.chain.find(name), name)));
        return {
          images: Object.fromEntries(found.map(({ name, reference }) => [name, reference])),
          public: { httpPort, httpsPort },
          ingress: { controller },
          ...values?.({
            environment,
            services: Object.keys(environment.services).filter((name) => deployed.has(name)),
            measured: await listMeasured(),
          }),
        };
      },
    });
  }
}

/** Removes extras, their last release first; the data of their volumes stays in the data folder. */
export function removeExtras(names: readonly ExtraName[], deps: UpDeps): Plan {
  const { toolchain, releases } = deps;
  return names.flatMap((name) => {
    const extra = extras[name];
    const title = `Remove ${name}`;
    return [
      ...extra.releases.toReversed().map(
        ({ release, namespace }): Stage => ({
          title,
          steps: [removeRelease(release, namespace, { helm: toolchain.helm, releases })],
        }),
      ),
      ...(ownPlans[name]?.remove(deps) ?? []),
      {
        title,
        steps: extra.namespaces.map((namespace) => deleteNamespace(toolchain.kubectl, namespace.name)),
      },
    ];
  });
}
