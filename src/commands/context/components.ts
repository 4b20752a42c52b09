import { type Environment, infrastructure } from '../../config/schema.ts';
import { selectServices } from '../../config/services.ts';
import type { Component } from '../../diagnosis/component.ts';
import type { Snapshot } from '../../diagnosis/snapshot.ts';
import { workloadsOf } from '../../diagnosis/workloads.ts';
import { extras, hostsOfExtras, toExtraNames } from '../../plans/extras.ts';
import { ingressNamespace, ingressReleases } from '../../plans/ingress.ts';
import type { ClusterRecord } from '../../state/cluster-record.ts';
import { toForwardTarget } from './forward-targets.ts';

/** Stores that the Jobs of the infrastructure chart prepare: databases and a bucket. */
const prepared: readonly string[] = ['postgres', 's3'];

type Chosen = Pick<ClusterRecord, 'controller' | 'extras' | 'lacking'>;

/** All components of a local environment: ingress controller, data stores, Jobs, services, extras, each with its needs. */
export function listComponents(
  snapshot: Snapshot,
  environment: Environment,
  chosen: Chosen,
): readonly Component[] {
  const { controller } = chosen;
  const { namespace, services } = environment;
  const needed = new Set(Object.values(services).flatMap(({ needs }) => needs));
  const stores = infrastructure.filter((name) => needed.has(name));
  const controllers = workloadsOf(snapshot, ingressReleases[controller].release, ingressNamespace);
  const noController = { kind: 'Deployment', name: controller, namespace: ingressNamespace } as const;
  const jobs = workloadsOf(snapshot, 'wealist-infrastructure', namespace).filter(
    ({ kind }) => kind === 'Job',
  );
  const jobNames = jobs.map(({ name }) => name);

  return [
    ...(controllers.length === 0 ? [noController] : controllers).map(
      (workload): Component => ({ name: workload.name, kind: 'ingress', workload, needs: [] }),
    ),
    ...stores.map((name): Component => {
      const workload = { kind: 'StatefulSet', name, namespace } as const;
      const { port } = toForwardTarget(environment, name);
      return { name, kind: 'infrastructure', workload, needs: [], port };
    }),
    ...jobs.map((workload): Component => {
      const needs = stores.filter((name) => prepared.includes(name));
      return { name: workload.name, kind: 'job', workload, needs };
    }),
    ...Object.entries(services).map(([name, { port, route }]): Component => {
      const selection = selectServices(environment, [name]);
      const needs = [...selection.infrastructure, ...selection.services.filter((each) => each !== name)];
      return {
        ...{ name, kind: 'service', port },
        workload: { kind: 'Deployment', name, namespace },
        needs: needs.some((need) => prepared.includes(need)) ? [...needs, ...jobNames] : needs,
        path: route === undefined ? '/' : `/svc/${route}`,
      };
    }),
    ...listExtraComponents(snapshot, chosen),
  ];
}

/**
 * The components of a remote environment: its services, and the data stores that run in the cluster. Others are managed
 * services outside of Kubernetes.
 */
export function listRemoteComponents(snapshot: Snapshot, environment: Environment): readonly Component[] {
  const { namespace, services } = environment;
  const stores = infrastructure.filter((name) => snapshot.find('StatefulSet', name, namespace));
  const here = new Set<string>([...stores, ...Object.keys(services)]);
  return [
    ...stores.map((name): Component => {
      const { port } = toForwardTarget(environment, name);
      return {
        ...{ name, kind: 'infrastructure', needs: [], port },
        workload: { kind: 'StatefulSet', name, namespace },
      };
    }),
    ...Object.entries(services).map(([name, { port }]): Component => {
      const { infrastructure: needed, services: others } = selectServices(environment, [name]);
      const needs = [...needed, ...others].filter((need) => need !== name && here.has(need));
      return { name, kind: 'service', port, needs, workload: { kind: 'Deployment', name, namespace } };
    }),
  ];
}

/** The workloads of the extras; for a release without any, one of its name, which is reported as missing. */
function listExtraComponents(snapshot: Snapshot, chosen: Chosen): readonly Component[] {
  const hosts = hostsOfExtras(chosen);
  const workloads = toExtraNames(chosen)
    .flatMap((name) => extras[name].releases)
    .flatMap(({ release, namespace }) => {
      const found = workloadsOf(snapshot, release, namespace);
      return found.length > 0 ? found : [{ kind: 'Deployment', name: release, namespace } as const];
    });
  return workloads.map((workload): Component => {
    const { name } = workload;
    const host = hosts.find(({ image }) => image === name)?.name;
    return { name, kind: 'extra', workload, needs: [], ...(host === undefined ? {} : { host }) };
  });
}
