import type { App } from '../../cli/command.ts';
import { loadHelmValues } from '../../config/helm-values.ts';
import type { LocalEnvironment } from '../../config/schema.ts';
import { selectServices } from '../../config/services.ts';
import type { Manifest } from '../../diff/manifest.ts';
import { toRepository } from '../../images/built-reference.ts';
import { type SecretRule, secretRules } from '../../lib/secret-rules.ts';
import { planUp } from '../../plans/up.ts';
import type { UpDeps } from '../../plans/up-parts.ts';
import { findCheckoutId } from '../../state/checkout-id.ts';
import { findSecrets } from '../../state/secrets.ts';
import { isManifestsStep } from '../../steps/apply-manifests.ts';
import { isDeployStep, type ReleaseSource } from '../../steps/deploy-release.ts';
import { foreseeUp } from '../context/foresee-up.ts';
import { toSecretsOptions } from '../context/secrets-options.ts';

export interface Sources {
  readonly releases: readonly ReleaseSource[];
  /** Objects of no chart. */
  readonly objects: readonly Manifest[];
  /** The cluster can be asked. */
  readonly isRunning: boolean;
  /** Images that are not built or pulled yet: what they will be called is not known. */
  readonly unbuilt: readonly string[];
}

/** What `up` of these services would deploy on this machine: taken from its own plan, of which no step is run. */
export async function listLocalSources(
  app: App,
  environment: LocalEnvironment,
  services: readonly string[],
): Promise<Sources> {
  const { situation, record, deps } = await foreseeUp(app, environment, {
    extras: { added: [], removed: [] },
  });
  const { podSecurity } = await loadHelmValues(app.paths.checkout, environment);
  const isRunning = situation.found?.state === 'running';
  const unbuilt = new Set<string>();
  const secrets = await findSecrets(await toSecretsOptions(app, environment, record.name));
  // A cluster that does not run has nothing deployed that could be asked for.
  const releases = isRunning ? deps.releases : async () => [];
  const plan = planUp(environment, withPlaceholders({ ...deps, releases }, unbuilt), {
    selection: selectServices(environment, services),
    cluster: record,
    controller: record.controller,
    removedExtras: [],
    repairs: false,
    podSecurity,
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

/** An image that is not there yet gets a name that says so. */
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

/** Before the first `up` there are no secrets yet. These are long enough for the charts, and shown nowhere. */
function withPlaceholderSecrets(source: ReleaseSource): ReleaseSource {
  const secrets = Object.fromEntries(
    Object.entries(secretRules).map(([key, { minBytes, initial }]: [string, SecretRule]) => [
      key,
      initial ?? '0'.repeat(Math.max(16, minBytes)),
    ]),
  );
  return { ...source, values: async () => ({ ...(await source.values()), shared: { secrets } }) };
}
