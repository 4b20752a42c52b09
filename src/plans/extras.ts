import type { ImageName } from '../config/catalog.ts';
import { type ExtraName, extraNames, isExtra } from '../config/extras.ts';
import { type Environment, infrastructure } from '../config/schema.ts';
import type { ChartRelease } from './ingress.ts';
import type { PodSecurityLevel } from './manifests.ts';

/** The namespace of Argo CD and its Applications. */
export const argocdNamespace = 'argocd';
/** The namespace that Argo CD deploys to: never this tool's own, so that every release has one owner. */
export const tryOutNamespace = 'wealist-dev';

/** What the values of an extra's release may depend on. */
export interface ExtraRun {
  readonly environment: Environment;
  /** The services that are deployed after this run. */
  readonly services: readonly string[];
  /** Those that have metrics. */
  readonly measured: ReadonlySet<string>;
}

export interface ExtraRelease extends ChartRelease {
  readonly namespace: string;
  /** Further values that only a run knows; images, ports and ingress controller are passed to every release. */
  readonly values?: (run: ExtraRun) => object;
}

/** A host name under which the ingress routes to one of an extra's programs. */
export interface ExtraHost {
  /** `prometheus` for http://prometheus.localhost. */
  readonly name: string;
  /** The program's image; without it the host does not exist. */
  readonly image: ImageName;
  /** A path that responds with success when the program works. */
  readonly health: string;
  /** The path of its page, if that is not `/`. */
  readonly page?: string;
}

/** What `up` obtains, loads and deploys for an extra. */
export interface Extra {
  readonly summary: string;
  /** Images that it requires. */
  readonly images: readonly ImageName[];
  /** Images that are left out where they can be neither pulled nor built. */
  readonly optionalImages: readonly ImageName[];
  /** Images that are needed only where an optional one is lacking, by its name. */
  readonly substitutes?: Readonly<Partial<Record<ImageName, ImageName>>>;
  /** Its own namespaces, created before it and deleted after it. */
  readonly namespaces: readonly { readonly name: string; readonly level: PodSecurityLevel }[];
  /** Deployed one after the other, removed in the opposite order. */
  readonly releases: readonly ExtraRelease[];
  readonly hosts: readonly ExtraHost[];
}

/** What each extra consists of; a new one is an entry here and its name in `config/extras.ts`. */
export const extras: Readonly<Record<ExtraName, Extra>> = {
  metrics: {
    summary: 'metrics-server, which reports the resource usage of pods to `kubectl top` and autoscalers',
    images: ['metrics-server'],
    optionalImages: [],
    namespaces: [{ name: 'metrics', level: 'restricted' }],
    releases: [{ release: 'metrics-server', chart: 'metrics-server', namespace: 'metrics' }],
    hosts: [],
  },
  monitoring: {
    summary: 'Prometheus, Loki and Grafana; VictoriaLogs where Loki cannot be pulled',
    images: ['prometheus', 'log-shipper'],
    optionalImages: ['loki', 'grafana'],
    substitutes: { loki: 'victoria-logs' },
    // Its log shipper mounts a folder of the node with the pods' logs, which the other levels forbid.
    namespaces: [{ name: 'monitoring', level: 'privileged' }],
    releases: [
      {
        release: 'wealist-monitoring',
        chart: 'wealist-monitoring',
        namespace: 'monitoring',
        values: ({ environment, services, measured }) => ({
          monitoring: {
            namespaces: [environment.namespace],
            expected: services.filter((name) => measured.has(name)),
          },
        }),
      },
    ],
    hosts: [
      { name: 'grafana', image: 'grafana', health: '/api/health' },
      { name: 'prometheus', image: 'prometheus', health: '/-/ready' },
      { name: 'loki', image: 'loki', health: '/ready' },
      { name: 'victoria-logs', image: 'victoria-logs', health: '/health', page: '/select/vmui/' },
    ],
  },
  argocd: {
    summary: 'Argo CD, which syncs the committed charts into wealist-dev',
    images: ['argocd', ...infrastructure],
    optionalImages: [],
    // As in environments/dev.yaml, whose namespace Argo CD creates on a real cluster.
    namespaces: [
      { name: argocdNamespace, level: 'restricted' },
      { name: tryOutNamespace, level: 'baseline' },
    ],
    releases: [{ release: 'wealist-argocd', chart: 'wealist-argocd', namespace: argocdNamespace }],
    hosts: [],
  },
};

/** The extras that were chosen for a cluster. */
export interface ExtrasChoice {
  readonly extras: readonly string[];
  /** Optional images that could be neither pulled nor built when their extra was added. */
  readonly lacking: readonly string[];
}

/** The extras' names in the table's order; names that this version does not know are left out. */
export function toExtraNames({ extras: names }: Pick<ExtrasChoice, 'extras'>): readonly ExtraName[] {
  return extraNames.filter((name) => names.includes(name));
}

/** The images of the extras, with substitutes for those that are lacking. */
export function imagesOfExtras(choice: ExtrasChoice): readonly ImageName[] {
  return toExtraNames(choice).flatMap((name) => imagesOfExtra(extras[name], choice));
}

/** The images of one extra, with substitutes for those that are lacking. */
export function imagesOfExtra(
  { images, optionalImages, substitutes = {} }: Extra,
  { lacking }: Pick<ExtrasChoice, 'lacking'>,
): readonly ImageName[] {
  const optional = optionalImages.map((name) => (lacking.includes(name) ? substitutes[name] : name));
  return [...images, ...optional.filter((name) => name !== undefined)];
}

/** The hosts of one extra, without those whose image is not used. */
function hostsOf(name: ExtraName, choice: ExtrasChoice): readonly ExtraHost[] {
  const images = imagesOfExtra(extras[name], choice);
  return extras[name].hosts.filter(({ image }) => images.includes(image));
}

/** The namespaces of the extras. */
export function namespacesOfExtras(choice: Pick<ExtrasChoice, 'extras'>): Extra['namespaces'] {
  return toExtraNames(choice).flatMap((name) => extras[name].namespaces);
}

/** The namespaces of those extras that have routes. */
export function routedNamespacesOfExtras(choice: ExtrasChoice): readonly string[] {
  return toExtraNames(choice)
    .filter((name) => hostsOf(name, choice).length > 0)
    .flatMap((name) => extras[name].namespaces.map((namespace) => namespace.name));
}

/** The hosts of the extras, without those whose image is not used. */
export function hostsOfExtras(choice: ExtrasChoice): readonly ExtraHost[] {
  return toExtraNames(choice).flatMap((name) => hostsOf(name, choice));
}

/** The extra's optional images that are lacking, to be shown to the user. */
export function lackingOf(name: string, { lacking }: ExtrasChoice): readonly string[] {
  return isExtra(name) ? extras[name].optionalImages.filter((image) => lacking.includes(image)) : [];
}
