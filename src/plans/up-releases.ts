import { join } from 'node:path';
import { type Environment, infrastructure } from '../config/schema.ts';
import { toInfrastructureValues, toNeeds, toServiceValues, valuesFiles } from '../config/values.ts';
import type { Run } from '../plan/plan.ts';
import { deployRelease } from '../steps/deploy-release.ts';
import { removeRelease } from '../steps/remove-release.ts';
import { readyTitle, waitForRelease, waitForWorkloads } from '../steps/wait-for-release.ts';
import { routedNamespacesOfExtras } from './extras.ts';
import { ingressNamespace, ingressReleases } from './ingress.ts';
import { listDeployed, requireFound, type UpChoice, type UpDeps } from './up-deps.ts';

/** The steps that deploy releases, each with the values that only this run knows. */
export function releaseSteps(environment: Environment, deps: UpDeps, choice: UpChoice) {
  const { paths, toolchain, chain, serviceImages, snapshots, releases, openApi } = deps;
  const { selection, cluster, controller, secrets } = choice;
  const { checkout } = paths;
  const common = { toolchain, snapshots, releases, openApi, checkout, repairs: choice.repairs };
  const needs = toNeeds(environment);
  const infrastructureRelease = { namespace: environment.namespace, release: 'wealist-infrastructure' };
  const ingressRelease = { namespace: ingressNamespace, release: ingressReleases[controller].release };
  const waitDeps = { kubectl: toolchain.kubectl, snapshots, openApi };
  const filesOf = (fromSource: boolean) => valuesFiles({ checkout, environment, fromSource, secrets });
  const files = filesOf(false);

  /** The controller also watches the namespaces of extras with routes; otherwise the environment's values suffice. */
  function toRoutedNamespaces(): object {
    const own = routedNamespacesOfExtras(cluster);
    return own.length > 0 ? { namespaces: [environment.namespace, ...own] } : {};
  }

  return {
    /** Without the wait for its workloads, as for the infrastructure: services can start meanwhile. */
    ingress() {
      const { chart, valuesFile } = ingressReleases[controller];
      return deployRelease({
        ...common,
        ...ingressRelease,
        onlyApplies: true,
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
        ...infrastructureRelease,
        onlyApplies: true,
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

    waitForInfrastructure: (run: Run) => waitForWorkloads({ ...waitDeps, ...infrastructureRelease }, run),

    /** What ingress and infrastructure leave to wait for. */
    waits: () =>
      [infrastructureRelease, ingressRelease].map((release) => waitForRelease({ ...waitDeps, ...release })),

    /**
     * A stand-in waits by itself for what it needs. An own program may end without it, and Kubernetes then lets ever more
     * time pass before it starts it again; so it is deployed afterwards.
     */
    service(name: string) {
      const isOwn = choice.fromSource.has(name);
      return deployRelease({
        ...common,
        namespace: environment.namespace,
        release: name,
        chart: name,
        needs: [readyTitle(infrastructureRelease.release), ...(environment.services[name]?.needs ?? [])],
        beginsAfterNeeds: isOwn,
        valuesFiles: filesOf(isOwn),
        values: async () => {
          const { reference } = await requireFound(serviceImages.find(name), name);
          return toServiceValues(name, reference, { ports: cluster, needs });
        },
      });
    },
  };
}
