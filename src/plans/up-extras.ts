import { join } from 'node:path';
import type { ExtraName } from '../config/extras.ts';
import type { Environment } from '../config/schema.ts';
import { valuesFiles } from '../config/values.ts';
import type { Plan, Stage } from '../lib/plan.ts';
import { deleteNamespace } from '../steps/delete-namespace.ts';
import { deployRelease } from '../steps/deploy-release.ts';
import { removeRelease } from '../steps/remove-release.ts';
import { type Extra, type ExtraRelease, extras, imagesOfExtras, toExtraNames } from './extras.ts';
import { listDeployed, present, type UpChoice, type UpParts } from './up-parts.ts';

/** The releases of the extras, the first of each at once, then the second of each. */
export function deployExtras(environment: Environment, parts: UpParts, choice: UpChoice): Plan {
  const chosen = toExtraNames(choice.cluster).map((name) => extras[name]);
  const waves = Math.max(0, ...chosen.map(({ releases }) => releases.length));
  return Array.from({ length: waves }, (_, at) => ({
    title: waves === 1 ? 'Extras' : `Extras, wave ${at + 1}`,
    steps: chosen.flatMap((extra) => {
      const release = extra.releases[at];
      return release ? [deployExtra(extra, release)] : [];
    }),
  }));

  function deployExtra(extra: Extra, { valuesFile, values, ...release }: ExtraRelease) {
    const { checkout } = parts.paths;
    const { cluster, controller } = choice;
    const { httpPort, httpsPort } = cluster;
    const available = imagesOfExtras(cluster);
    const images = [...extra.images, ...extra.optionalImages].filter((name) => available.includes(name));
    return deployRelease({
      ...parts,
      ...release,
      checkout,
      repairs: choice.repairs,
      // Without the secrets: an extra is no part of the platform.
      valuesFiles: valuesFile ? [join(checkout, valuesFile)] : valuesFiles({ checkout, environment }),
      values: async () => {
        const deployed = await listDeployed(environment, parts, choice);
        const found = await Promise.all(images.map((name) => present(parts.chain.find(name), name)));
        return {
          images: Object.fromEntries(found.map(({ name, reference }) => [name, reference])),
          public: { httpPort, httpsPort },
          ingress: { controller },
          ...values?.({
            environment,
            services: Object.keys(environment.services).filter((name) => deployed.has(name)),
          }),
        };
      },
    });
  }
}

/** Takes extras away, what was deployed last first; what their volumes hold stays in the data folder. */
export function removeExtras(names: readonly ExtraName[], { toolchain, releases }: UpParts): Plan {
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
      {
        title,
        steps: extra.namespaces.map((namespace) => deleteNamespace(toolchain.kubectl, namespace.name)),
      },
    ];
  });
}
