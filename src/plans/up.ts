import { join } from 'node:path';
import { toCreation } from '../cluster/creation.ts';
import { listNodeNames } from '../cluster/ownership.ts';
import { readServiceRequests } from '../config/requests.ts';
import { type Environment, infrastructure } from '../config/schema.ts';
import type { Selection } from '../config/services.ts';
import {
  type Controller,
  toInfrastructureValues,
  toNeeds,
  toServiceValues,
  valuesFiles,
} from '../config/values.ts';
import { listIntercepted } from '../diagnosis/intercept.ts';
import type { ImageName } from '../images/chain.ts';
import { loadImages } from '../images/load/load-images.ts';
import { toWaves } from '../lib/waves.ts';
import type { Plan } from '../plan/plan.ts';
import { watchSteps } from '../plan/watch-steps.ts';
import { applyManifests } from '../steps/apply-manifests.ts';
import { buildService } from '../steps/build-service.ts';
import { createCluster } from '../steps/create-cluster.ts';
import { endAbandonedDebugging } from '../steps/debug-service.ts';
import { deployRelease } from '../steps/deploy-release.ts';
import { ensureImage, ensureNodeImage } from '../steps/ensure-image.ts';
import { giveBackServices } from '../steps/give-back-services.ts';
import { loadOntoNodes } from '../steps/load-images.ts';
import { makeRoom } from '../steps/make-room.ts';
import { moveStandInTables } from '../steps/move-stand-in-tables.ts';
import { probePolicies } from '../steps/probe-policies.ts';
import { removeRelease } from '../steps/remove-release.ts';
import { waitForIngress } from '../steps/wait-for-ingress.ts';
import { toAddresses, toExtraAddresses } from './addresses.ts';
import { type ExtrasChoice, imagesOfExtras, namespacesOfExtras, routedNamespacesOfExtras } from './extras.ts';
import { ingressNamespace, ingressReleases } from './ingress.ts';
import { namespaceManifest, storageClassManifest } from './manifests.ts';
import { listDeployed, requireFound, type UpChoice, type UpDeps } from './up-deps.ts';
import { deployExtras, listBuiltServices, obtainExtras, removeExtras } from './up-extras.ts';

/** Everything that `up` does once a container engine runs: from tools and images to services that respond. */
export function planUp(environment: Environment, deps: UpDeps, choice: UpChoice): Plan {
  const { paths, toolchain, store, chain, serviceImages } = deps;
  const { selection, cluster, controller } = choice;
  const outside = outsideImages(selection, { ...cluster, controller });
  const built = listBuiltServices(environment, choice);
  const needsOf = (name: string) => environment.services[name]?.needs ?? [];
  const deploys = releaseSteps(environment, deps, choice);
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
            const images = await findOutside();
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
      steps: selection.infrastructure.includes('postgres')
        ? [
            moveStandInTables({
              ...{ kubectl: toolchain.kubectl, snapshots: deps.snapshots, openPostgres: deps.openPostgres },
              namespace: environment.namespace,
              repairs: choice.repairs,
              services: selection.services,
              data: join(paths.data, cluster.name),
            }),
          ]
        : [],
    },
    ...toWaves(selection.services, needsOf).map((wave, at) => ({
      title: `Services, wave ${at + 1}`,
      steps: wave.map((name) => deploys.service(name)),
    })),
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

/** The steps that deploy releases, each with the values that only this run knows. */
function releaseSteps(environment: Environment, deps: UpDeps, choice: UpChoice) {
  const { paths, toolchain, chain, serviceImages, snapshots, releases } = deps;
  const { selection, cluster, controller, secrets } = choice;
  const { checkout } = paths;
  const common = { toolchain, snapshots, releases, checkout, repairs: choice.repairs };
  const needs = toNeeds(environment);
  const filesOf = (fromSource: boolean) => valuesFiles({ checkout, environment, fromSource, secrets });
  const files = filesOf(false);

  /** The controller also watches the namespaces of extras with routes; otherwise the environment's values suffice. */
  function toRoutedNamespaces(): object {
    const own = routedNamespacesOfExtras(cluster);
    return own.length > 0 ? { namespaces: [environment.namespace, ...own] } : {};
  }

  return {
    ingress() {
      const { release, chart, valuesFile } = ingressReleases[controller];
      return deployRelease({
        ...common,
        namespace: ingressNamespace,
        release,
        chart,
        valuesFiles: valuesFile ? [join(checkout, valuesFile)] : files,
        // The digest was checked at the pull; on the node the image has only its name with the tag.
        values: async () =>
          valuesFile
            ? { controller: { image: { digest: '' } } }
            : {
                images: { [controller]: (await requireFound(chain.find(controller), controller)).reference },
                ingress: toRoutedNamespaces(),
              },
      });
    },

    /** The other controller must be removed first: both use the same ports of the node. */
    otherIngress() {
      const other = controller === 'nginx' ? 'traefik' : 'nginx';
      return removeRelease(ingressReleases[other].release, ingressNamespace, {
        helm: toolchain.helm,
        releases,
      });
    },

    infrastructure() {
      return deployRelease({
        ...common,
        namespace: environment.namespace,
        release: 'wealist-infrastructure',
        chart: 'wealist-infrastructure',
        valuesFiles: files,
        values: async () => {
          const deployed = await listDeployed(environment, deps, choice);
          const all = Object.keys(environment.services);
          // Services that an earlier run deployed still need their infrastructure.
          const needed = new Set([...deployed].flatMap((name) => environment.services[name]?.needs ?? []));
          const wanted = infrastructure.filter(
            (name) => needed.has(name) || selection.infrastructure.includes(name),
          );
          const images = await Promise.all(wanted.map((name) => requireFound(chain.find(name), name)));
          return toInfrastructureValues({
            images: Object.fromEntries(images.map(({ name, reference }) => [name, reference])),
            ports: cluster,
            controller,
            needs,
            services: Object.fromEntries(all.map((name) => [name, deployed.has(name)])),
            infrastructure: Object.fromEntries(infrastructure.map((name) => [name, wanted.includes(name)])),
          });
        },
      });
    },

    service(name: string) {
      return deployRelease({
        ...common,
        namespace: environment.namespace,
        release: name,
        chart: name,
        valuesFiles: filesOf(choice.fromSource.has(name)),
        values: async () => {
          const { reference } = await requireFound(serviceImages.find(name), name);
          return toServiceValues(name, reference, { ports: cluster, needs });
        },
      });
    },
  };
}
