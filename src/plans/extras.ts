import type { ImageName } from '../config/catalog.ts';
import { type ExtraName, extraNames, isExtra } from '../config/extras.ts';
import { type Environment, infrastructure } from '../config/schema.ts';
import type { ChartRelease } from './ingress.ts';
import type { PodSecurity } from './manifests.ts';

/** Where Argo CD and its Applications are. */
export const argocdNamespace = 'argocd';
/** Where it deploys to: never where this tool does, so that every release has one owner. */
export const tryOutNamespace = 'wealist-dev';

/** What a release of an extra may say of a run, over its values files. */
export interface ExtraRun {
  readonly environment: Environment;
  /** The services that are deployed once this run is over. */
  readonly services: readonly string[];
}

export interface ExtraRelease extends ChartRelease {
  readonly namespace: string;
  /** What only a run knows, beside images, ports and ingress controller, which every release gets. */
  readonly values?: (run: ExtraRun) => object;
}

/** A host name below the platform's own, where the ingress leads to one of an extra's programs. */
export interface ExtraHost {
  /** `prometheus` answers at http://prometheus.localhost. */
  readonly name: string;
  /** An image without which there is no such host. */
  readonly image: ImageName;
  /** A path that answers with success when it works. */
  readonly health: string;
}

/** One extra: what `up` obtains, loads and deploys for it. */
export interface Extra {
  readonly summary: string;
  /** It does not work without these. */
  readonly images: readonly ImageName[];
  /** It works without these: where they can be neither pulled nor built, they are left out. */
  readonly optionalImages: readonly ImageName[];
  /** Its own, made before and deleted after it. */
  readonly namespaces: readonly { readonly name: string; readonly level: PodSecurity }[];
  /** Deployed one after the other, removed in the opposite order. */
  readonly releases: readonly ExtraRelease[];
  readonly hosts: readonly ExtraHost[];
}

/** What each extra consists of; a new one is an entry here and its name in `config/extras.ts`. */
export const extras: Readonly<Record<ExtraName, Extra>> = {
  metrics: {
    summary: 'metrics-server, by which autoscalers and `kubectl top` know what pods use',
    images: ['metrics-server'],
    optionalImages: [],
    namespaces: [{ name: 'metrics', level: 'restricted' }],
    releases: [{ release: 'metrics-server', chart: 'metrics-server', namespace: 'metrics' }],
    hosts: [],
  },
  monitoring: {
    summary: 'Prometheus, Loki and, where it can be pulled, Grafana',
    images: ['prometheus', 'loki', 'log-shipper'],
    optionalImages: ['grafana'],
    // Its log shipper reads the pods' logs from a folder of the node, which the other levels forbid.
    namespaces: [{ name: 'monitoring', level: 'privileged' }],
    releases: [
      {
        release: 'wealist-monitoring',
        chart: 'wealist-monitoring',
        namespace: 'monitoring',
        values: ({ environment, services }) => ({
          monitoring: { namespaces: [environment.namespace], expected: services },
        }),
      },
    ],
    hosts: [
      { name: 'grafana', image: 'grafana', health: '/api/health' },
      { name: 'prometheus', image: 'prometheus', health: '/-/ready' },
      { name: 'loki', image: 'loki', health: '/ready' },
    ],
  },
  argocd: {
    summary: 'Argo CD, which syncs the committed charts into wealist-dev',
    images: ['argocd', ...infrastructure],
    optionalImages: [],
    // Those of environments/dev.yaml, whose namespace Argo CD would make itself elsewhere.
    namespaces: [
      { name: argocdNamespace, level: 'restricted' },
      { name: tryOutNamespace, level: 'baseline' },
    ],
    releases: [{ release: 'wealist-argocd', chart: 'wealist-argocd', namespace: argocdNamespace }],
    hosts: [],
  },
};

/** The extras of a cluster, as they were chosen. */
export interface ExtrasChoice {
  readonly extras: readonly string[];
  /** Optional images that could not be had when their extra was added. */
  readonly lacking: readonly string[];
}

/** In the table's order; names that this version does not know are left out. */
export function toExtraNames({ extras: names }: Pick<ExtrasChoice, 'extras'>): readonly ExtraName[] {
  return extraNames.filter((name) => names.includes(name));
}

/** Every image that the extras need, less those that cannot be had. */
export function imagesOfExtras(choice: ExtrasChoice): readonly ImageName[] {
  return toExtraNames(choice)
    .map((name) => extras[name])
    .flatMap(({ images, optionalImages }) => [...images, ...optionalImages])
    .filter((name) => !choice.lacking.includes(name));
}

/** Every namespace that the extras bring. */
export function namespacesOfExtras(choice: Pick<ExtrasChoice, 'extras'>): Extra['namespaces'] {
  return toExtraNames(choice).flatMap((name) => extras[name].namespaces);
}

/** The namespaces of those extras that have routes. */
export function routedNamespacesOfExtras(choice: ExtrasChoice): readonly string[] {
  const isRouted = (name: ExtraName) =>
    extras[name].hosts.some(({ image }) => !choice.lacking.includes(image));
  return toExtraNames(choice)
    .filter(isRouted)
    .flatMap((name) => extras[name].namespaces.map((namespace) => namespace.name));
}

/** The host names that the extras answer under. */
export function hostsOfExtras(choice: ExtrasChoice): readonly ExtraHost[] {
  return toExtraNames(choice)
    .flatMap((name) => extras[name].hosts)
    .filter(({ image }) => !choice.lacking.includes(image));
}

/** The extra's optional images that are left out, for a person. */
export function lackingOf(name: string, { lacking }: ExtrasChoice): readonly string[] {
  return isExtra(name) ? extras[name].optionalImages.filter((image) => lacking.includes(image)) : [];
}
