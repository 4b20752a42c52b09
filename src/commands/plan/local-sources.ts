import type { App } from '../../cli/command.ts';
import { loadHelmValues } from '../../config/helm-values.ts';
import type { LocalEnvironment } from '../../config/schema.ts';
import { selectServices } from '../../config/services.ts';
import type { Manifest } from '../../diff/manifest.ts';
import { toRepository } from '../../images/built-reference.ts';
import { listFromSource } from '../../images/source/dockerfile-source.ts';
import { type SecretRule, secretRules } from '../../lib/secret-rules.ts';
import { planUp } from '../../plans/up.ts';
import type { UpDeps } from '../../plans/up-deps.ts';
import { findCheckoutId } from '../../state/checkout-id.ts';
import { findSecrets } from '../../state/secrets.ts';
import { isManifestsStep } from '../../steps/apply-manifests.ts';
import { isDeployStep, type ReleaseSource } from '../../steps/deploy-release.ts';
import { toSecretsOptions } from '../context/secrets.ts';
import { foreseeUp } from '../context/up-deps.ts';

export interface Sources {
  readonly releases: readonly ReleaseSource[];
  /** Objects that belong to no chart. */
  readonly objects: readonly Manifest[];
  /** Whether the cluster is running. */
  readonly isRunning: boolean;
  /** Images that are not built or pulled yet, so their final names are unknown. */
  readonly unbuilt: readonly string[];
}

/** What `up` of these services would deploy on this machine, taken from its plan without running a step. */
export async function listLocalSources(
  app: App,
  environment: LocalEnvironment,
  services: readonly string[],
): Promise<Sources> {
  const { situation, record, deps } = await foreseeUp(app, environment, {
    extras: { added: [], removed: [] },
  });
  const fromSource = await listFromSource(environment, app.paths.checkout);
  const { podSecurity } = await loadHelmValues(app.paths.checkout, environment, fromSource);
  const isRunning = situation.found?.state === 'running';
  const unbuilt = new Set<string>();
  const secrets = await findSecrets(await toSecretsOptions(app, environment, record.name));
  // The releases of a stopped cluster cannot be read.
  const releases = isRunning ? deps.releases : async () => [];
  const plan = planUp(environment, withPlaceholders({ ...deps, releases }, unbuilt), {
    selection: selectServices(environment, services),
    cluster: record,
    controller: record.controller,
    removedExtras: [],
    repairs: false,
    podSecurity,
    fromSource,
    checkoutId: (await findCheckoutId(app.paths)) ?? '',
    secrets: secrets?.file,
  });
  const steps = plan.flatMap((stage) => stage.steps);
  const deployed = steps.filter(isDeployStep).map(({ source }) => source);
  return {
    releases: secrets ? deployed : deployed.map(withPlaceholderSecrets),
    objects: steps.filter(isManifestsStep).flatMap(({ objects }) => objects.map((object) => ({ ...object }))),
    isRunning,
    get unbuilt() {
      return [...unbuilt].toSorted();
    },
  };
}

/** Gives each missing image a placeholder name, and adds it to `unbuilt`. */
function withPlaceholders(deps: UpDeps, unbuilt: Set<string>): UpDeps {
  const { chain, serviceImages } = deps;
  const image = { layers: [], config: '{}' };
  const name = (what: string) => {
    unbuilt.add(what);
    return `${toRepository(what)}:not-built-yet`;
  };
  return {
    ...deps,
    chain: {
      ...chain,
      find: async (what) =>
        (await chain.find(what)) ?? { name: what, reference: name(what), image, origin: 'built' },
    },
    serviceImages: {
      ...serviceImages,
      async find(what) {
        const found = await serviceImages.find(what);
        if (found) return found;
        const isStandIn = (await serviceImages.describe(what)) === 'stand-in';
        return { reference: name(what), image, sourceHash: '', isStandIn };
      },
    },
  };
}

/** Before the first `up` there are no secrets yet. These placeholders satisfy the charts and are never shown. */
function withPlaceholderSecrets(source: ReleaseSource): ReleaseSource {
  const secrets = Object.fromEntries(
    Object.entries(secretRules).map(([key, { minBytes, initial }]: [string, SecretRule]) => [
      key,
      initial ?? '0'.repeat(Math.max(16, minBytes)),
    ]),
  );
  return { ...source, values: async () => ({ ...(await source.values()), shared: { secrets } }) };
}
