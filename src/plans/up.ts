import { join } from 'node:path';
import { toCreation } from '../cluster/creation.ts';
import { listNodeNames } from '../cluster/ownership.ts';
import { readServiceRequests } from '../config/requests.ts';
import type { Environment } from '../config/schema.ts';
import type { Selection } from '../config/services.ts';
import type { Controller } from '../config/values.ts';
import { listIntercepted } from '../diagnosis/intercept.ts';
import type { ImageName } from '../images/chain.ts';
import { loadImages } from '../images/load/load-images.ts';
import type { Plan } from '../plan/plan.ts';
import { watchSteps } from '../plan/watch-steps.ts';
import { applyManifests } from '../steps/apply-manifests.ts';
import { buildService } from '../steps/build-service.ts';
import { createCluster } from '../steps/create-cluster.ts';
import { endAbandonedDebugging } from '../steps/debug-service.ts';
import { ensureImage, ensureNodeImage } from '../steps/ensure-image.ts';
import { giveBackServices } from '../steps/give-back-services.ts';
import { loadOntoNodes } from '../steps/load-images.ts';
import { makeRoom } from '../steps/make-room.ts';
import { moveStandInTables, recordNewDatabases } from '../steps/move-stand-in-tables.ts';
import { prepareVolumes } from '../steps/prepare-volumes.ts';
import { probePolicies } from '../steps/probe-policies.ts';
import { waitForIngress } from '../steps/wait-for-ingress.ts';
import { toAddresses, toExtraAddresses } from './addresses.ts';
import { type ExtrasChoice, imagesOfExtras, namespacesOfExtras } from './extras.ts';
import { ingressNamespace } from './ingress.ts';
import { namespaceManifest, storageClassManifest, volumeManifest } from './manifests.ts';
import { requireFound, type UpChoice, type UpDeps } from './up-deps.ts';
import { deployExtras, listBuiltServices, obtainExtras, removeExtras } from './up-extras.ts';
import { releaseSteps } from './up-releases.ts';

/** Everything that `up` does once a container engine runs: from tools and images to services that respond. */
export function planUp(environment: Environment, deps: UpDeps, choice: UpChoice): Plan {
  const { paths, toolchain, store, chain, serviceImages } = deps;
  const { selection, cluster, controller } = choice;
  const outside = outsideImages(selection, { ...cluster, controller });
  const built = listBuiltServices(environment, choice);
  const deploys = releaseSteps(environment, deps, choice);
  const usesPostgres = selection.infrastructure.includes('postgres');
  const databases = { namespace: environment.namespace, data: join(paths.data, cluster.name) };
  /** The outside images to load onto the nodes; the services' base is part of their own images. */
  const findOutside = () =>
    Promise.all(
      outside.filter((name) => name !== 'service-base').map((name) => requireFound(chain.find(name), name)),
    );

  const beforehand: Plan = [
    {
      title: 'Tools and images',
      steps: [
        ...deps.tools,
        ensureNodeImage(chain),
        ...outside.map((name) => ensureImage(chain, name)),
        ...obtainExtras(deps, choice),
      ],
    },
    {
      title: 'Cluster and services',
      steps: [
        createCluster({
          toolchain,
          watch: deps.watch,
          engine: deps.engine,
          openApi: deps.openApi,
          snapshots: deps.snapshots,
          name: cluster.name,
          checkoutId: choice.checkoutId,
          cache: paths.cache,
          data: join(paths.data, cluster.name),
          checkout: paths,
          kubeconfig: join(paths.state, 'kubeconfig'),
          creation: async () => {
            const { reference: image } = await requireFound(chain.findNode(), 'node');
            return toCreation({ paths, checkoutId: choice.checkoutId, cluster, image });
          },
          isRuntimeUp: toolchain.nodes.isUp,
          findKubeletError: toolchain.nodes.findKubeletError,
          loadEarly: async (nodes, run) => {
            // A stand-in is built before the first node runs; what is not is loaded later.
            const services = await Promise.all(built.map((name) => serviceImages.find(name)));
            const images = [...(await findOutside()), ...services.filter((image) => image !== undefined)];
            await Promise.all(
              nodes.map((node) => loadImages(images, node, { nodes: toolchain.nodes, store }, run)),
            );
          },
        }),
        ...built.map((name) => buildService(serviceImages, name)),
      ],
    },
  ];
  /** These steps need the nodes. */
  const inCluster: Plan = [
    {
      title: 'Images and namespaces',
      steps: [
        loadOntoNodes({
          nodes: toolchain.nodes,
          store,
          nodeNames: (signal) => listNodeNames(toolchain.docker, cluster.name, signal),
          images: async () => [
            ...(await findOutside()),
            ...(await Promise.all(built.map((name) => requireFound(serviceImages.find(name), name)))),
          ],
        }),
        applyManifests({
          kubectl: toolchain.kubectl,
          title: 'namespaces and storage class',
          objects: [
            namespaceManifest(environment.namespace, choice.podSecurity),
            // The controller uses host ports of the node, which only this level allows.
            namespaceManifest(ingressNamespace, 'privileged'),
            ...namespacesOfExtras(cluster).map(({ name, level }) => namespaceManifest(name, level)),
            storageClassManifest(),
          ],
        }),
        ...(usesPostgres ? [recordNewDatabases(databases)] : []),
        prepareVolumes({
          ...{ openApi: deps.openApi, snapshots: deps.snapshots, namespace: environment.namespace },
          claims: selection.infrastructure.map((name) => `data-${name}-0`),
          volumes: join(paths.data, cluster.name, 'volumes'),
          toVolume: (claim) => volumeManifest(environment.namespace, claim),
        }),
      ],
    },
    {
      title: 'Ports of the ingress',
      steps: [
        deploys.otherIngress(),
        giveBackServices({
          namespace: environment.namespace,
          all: choice.repairs,
          connect: async (signal) => ({
            api: await deps.openApi(),
            nodes: toolchain.nodes,
            nodeNames: await listNodeNames(toolchain.docker, cluster.name, signal),
          }),
        }),
        endAbandonedDebugging({
          namespace: environment.namespace,
          openApi: deps.openApi,
          all: choice.repairs,
        }),
      ],
    },
    {
      title: 'Room on the nodes',
      steps: [
        makeRoom({
          ...{ kubectl: toolchain.kubectl, snapshots: deps.snapshots, namespace: environment.namespace },
          requests: () =>
            readServiceRequests({
              ...{ checkout: paths.checkout, environment, selection, fromSource: choice.fromSource },
            }),
        }),
      ],
    },
    { title: 'Ingress and infrastructure', steps: [deploys.ingress(), deploys.infrastructure()] },
    {
      title: 'Databases',
      steps: usesPostgres
        ? [
            moveStandInTables({
              ...{ kubectl: toolchain.kubectl, snapshots: deps.snapshots, openPostgres: deps.openPostgres },
              ...databases,
              repairs: choice.repairs,
              services: selection.services,
              waitForStores: deploys.waitForInfrastructure,
            }),
          ]
        : [],
    },
    {
      title: 'Services',
      steps: [...deploys.waits(), ...selection.services.map((name) => deploys.service(name))],
    },
    ...deployExtras(environment, deps, choice),
    {
      title: 'Responses through the ingress',
      steps: [
        waitForIngress(async (signal) => {
          const snapshot = await deps.snapshots.take(signal, { maxAge: 1_000 });
          // A program of this machine responds for these, in whichever state it is.
          const intercepted = new Set(listIntercepted(snapshot, environment.namespace));
          const own = selection.services.filter((name) => !intercepted.has(name));
          return [...toAddresses(environment, own, cluster, snapshot), ...toExtraAddresses(cluster)];
        }),
        probePolicies({
          dockerCli: toolchain.dockerCli,
          snapshots: deps.snapshots,
          paths,
          namespace: environment.namespace,
        }),
      ],
    },
    ...removeExtras(choice.removedExtras, deps),
  ];
  return [...beforehand, ...watchSteps(inCluster, deps.watch)];
}

/** The outside images that a selection needs, without the node's. */
export function outsideImages(
  { infrastructure }: Selection,
  cluster: { readonly controller: Controller } & ExtrasChoice,
): readonly ImageName[] {
  return [
    ...new Set<ImageName>([
      ...infrastructure,
      cluster.controller,
      'service-base',
      ...imagesOfExtras(cluster),
    ]),
  ];
}
