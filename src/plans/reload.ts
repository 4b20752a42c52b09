import { listNodeNames } from '../cluster/ownership.ts';
import type { Snapshots } from '../cluster/snapshot.ts';
import type { Environment } from '../config/schema.ts';
import type { ServiceImage, ServiceImages } from '../images/service-image.ts';
import type { Store } from '../images/store.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import type { Plan } from '../lib/plan.ts';
import { buildService } from '../steps/build-service.ts';
import { loadOntoNodes } from '../steps/load-images.ts';
import { rollOut } from '../steps/roll-out.ts';
import type { Toolchain } from '../tools/toolchain.ts';

export interface ReloadParts {
  readonly toolchain: Toolchain;
  readonly store: Store;
  readonly serviceImages: ServiceImages;
  readonly snapshots: Snapshots;
}

/** Brings the source of some services, as it is now, into the running cluster: built, loaded, rolled out, proved. */
export function planReload(
  environment: Pick<Environment, 'namespace'>,
  { toolchain, store, serviceImages, snapshots }: ReloadParts,
  { cluster, services }: { readonly cluster: string; readonly services: readonly string[] },
): Plan {
  const built = async (name: string): Promise<ServiceImage> => {
    const image = await serviceImages.find(name);
    if (image) return image;
    throw new Failure(`image ${name} is not built`, {
      hint: `npm run reload -- ${name}`,
      exitCode: exitCodes.image,
    });
  };
  return [
    { title: 'Build', steps: services.map((name) => buildService(serviceImages, name)) },
    {
      title: 'Load',
      steps: [
        loadOntoNodes({
          nodes: toolchain.nodes,
          store,
          nodeNames: (signal) => listNodeNames(toolchain.docker, cluster, signal),
          images: () => Promise.all(services.map(built)),
        }),
      ],
    },
    {
      title: 'Roll out',
      steps: services.map((name) =>
        rollOut({
          kubectl: toolchain.kubectl,
          snapshots,
          namespace: environment.namespace,
          name,
          image: () => built(name),
        }),
      ),
    },
  ];
}
